"""Models that torchvision and timm know by name, always with random weights: nothing is ever downloaded.

Both libraries are imported on first use: torchvision takes a second.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import nn

from legr.errors import SettingsError
from legr.models.spec import ModelSpec

__all__ = ["TIMM", "library_names", "library_spec"]

TIMM = "timm:"
_SIZES = {"inception_v3": 299, "ssdlite320_mobilenet_v3_large": 320, "ssd300_vgg16": 300}
_DETECTOR_SIZE = 320
_SLOW_START = {"googlenet", "inception_v3"}  # their own initialization takes seconds and warns
_DETECTION_CLASSES, _SEGMENTATION_CLASSES = 91, 21  # of COCO and Pascal VOC, the background included
_AUXILIARY_HEADS = ("maskrcnn", "keypointrcnn")


def library_spec(name: str) -> ModelSpec | None:
    """Return the model that torchvision calls `name`, or timm where `name` begins with "timm:"; None if neither does.

    Raises:
        SettingsError: timm is asked for and not installed, or the model has a part that cannot be followed.
    """
    if name.startswith(TIMM):
        return _timm_spec(name.removeprefix(TIMM))
    from torchvision import models

    if name.startswith(_AUXILIARY_HEADS):
        raise SettingsError(
            f"{name} has a head that runs on the boxes it has chosen, which cannot be followed; "
            "choose its Faster R-CNN, such as fasterrcnn_resnet50_fpn"
        )
    for module, build, classes in (
        (models, _classifier, 1000),
        (models.segmentation, _segmenter, _SEGMENTATION_CLASSES),
        (models.detection, _detector, _DETECTION_CLASSES),
    ):
        if name in models.list_models(module=module):
            size = _SIZES.get(name, _DETECTOR_SIZE if module is models.detection else 224)
            return ModelSpec(name, partial(build, name), (3, size, size), module is not models, classes)
    return None


def library_names(name: str) -> Sequence[str]:
    """Names that `name` may be a misspelling of: timm's where it begins with "timm:", else torchvision's."""
    if name.startswith(TIMM):
        return [TIMM + model for model in _timm(name).list_models()]
    from torchvision import models

    lists = (models.list_models(module=m) for m in (models, models.segmentation, models.detection))
    return [n for names in lists for n in names if not n.startswith(_AUXILIARY_HEADS)]


def _classifier(name: str, num_classes: int) -> nn.Module:
    return _torchvision(name, num_classes, **({"init_weights": False} if name in _SLOW_START else {}))


def _segmenter(name: str, num_classes: int) -> nn.Module:
    return _torchvision(name, num_classes, weights_backbone=None)


def _detector(name: str, num_classes: int) -> nn.Module:
    from legr.models.detectors import DetectorCore

    return DetectorCore(_torchvision(name, num_classes, weights_backbone=None))


def _torchvision(name: str, num_classes: int, **more: Any) -> nn.Module:
    from torchvision import models

    model: nn.Module = models.get_model(name, weights=None, num_classes=num_classes, **more)
    return model


def _timm_spec(name: str) -> ModelSpec | None:
    timm = _timm(name)
    if not timm.is_model(name):  # create_model alone would also take names that download, or open a folder
        return None
    shape = getattr(timm.get_pretrained_cfg(name), "input_size", None) or (3, 224, 224)
    return ModelSpec(TIMM + name, partial(_build_timm, name), tuple(shape), False, 1000)


def _build_timm(name: str, num_classes: int) -> nn.Module:
    model: nn.Module = _timm(name).create_model(name, pretrained=False, num_classes=num_classes)
    return model


def _timm(name: str) -> Any:
    try:
        import timm  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as error:
        name = TIMM + name.removeprefix(TIMM)
        raise SettingsError(f"{name} needs timm, which is not installed; pip install timm") from error
    return timm
