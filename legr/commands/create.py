"""Make a study: load model, weights and images, trace, prove, and write the folder."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from legr.commands.calibration import calibration_of
from legr.commands.checks import (
    require_class_outputs,
    require_finite_answers,
    require_normalization,
    require_outputs,
)
from legr.commands.original import build_cut
from legr.commands.provenance import origin_of, stated_training
from legr.commands.results import NewStudy
from legr.data.class_names import CLASSES_OF, listed_names
from legr.data.encoded import ImageShape
from legr.data.folders import remember_folder
from legr.data.images import Dataset
from legr.data.load import load_dataset
from legr.data.normalization import IMAGENET_NORMALIZATION, Normalization
from legr.deploy.crosscheck import thop_macs
from legr.errors import SettingsError, TraceError
from legr.models.head import Loaded, load_for_classes
from legr.models.weights import WeightsInfo, hash_state, save_weights
from legr.models.zoo import ModelSpec, build_model, find_spec
from legr.progress import Progress, Report
from legr.ranking.constraints import Constraints
from legr.ranking.norms import filter_norms
from legr.ranking.order import Ranker
from legr.ranking.rounding import usual_multiple
from legr.structure.cost import original_cost
from legr.structure.counters import count
from legr.structure.tracing.trace import trace
from legr.structure.types import Plan, Structure
from legr.structure.verify import verify
from legr.study.calibration_choice import calibration_words
from legr.study.cuts import save_cuts
from legr.study.heldout import HeldoutScore
from legr.study.making import making_study, require_place
from legr.study.pass_times import note_pass_time
from legr.study.records import SearchSettings, StudyInfo
from legr.study.shape_file import write_constraints
from legr.study.store import Study
from legr.training.device import fast_dtype
from legr.training.evaluate import evaluate_split

_TRIAL_IMAGES = 512  # held-out images that decide between two normalizations, and score the original
_JUDGED_AT_ONCE = 200e6  # MACs; for larger networks the first command that evaluates one chooses what to recalibrate on
_TIMED_IMAGES = 256  # that tell how long a pass takes


@dataclass(frozen=True)
class NetworkSource:
    """Where the original network of a new study comes from.

    Attributes:
        model: a name (`find_spec`), or the architecture itself.
        weights: file of its weights; None leaves them random.
        cuts: what is cut from the model before its weights are loaded; the study then begins there.
        outputs: classes that the weights predict, in their order, as `listed_names` takes them; None is all classes
            of the images.
    """

    model: str | ModelSpec
    weights: Path | None = None
    cuts: Plan | None = None
    outputs: Sequence[str] | None = None

    @property
    def spec(self) -> ModelSpec:
        """The architecture before anything was cut from it."""
        return find_spec(self.model) if isinstance(self.model, str) else self.model


@dataclass(frozen=True)
class ImageSource:
    """Which images a new study is about, and how they are prepared.

    Attributes:
        data: "digits", "cifar10" or "cifar100" (downloaded if missing), or a folder.
        normalize: "imagenet", "dataset", a normalization, or None: what scores better on held-out images.
        split_seed: decides which training images are held out.
        input_shape: channels, height, width of the images; None is what the model was designed for.
        classes: of the images, at least two, as `listed_names` takes them; the network then predicts these alone.
            None is all.
    """

    data: str
    normalize: str | Normalization | None = None
    split_seed: int = 0
    input_shape: ImageShape | None = None
    classes: Sequence[str] | None = None


@dataclass(frozen=True)
class _Original:
    """The original network, traced and proved."""

    network: nn.Module
    loaded: Loaded | None  # None: the weights are random
    structure: Structure
    self_check: float

    @property
    def info(self) -> WeightsInfo | None:
        return self.loaded.info if self.loaded else None


def create(
    path: Path, source: NetworkSource, images: ImageSource, report: Report, *, multiple: int | None = 1
) -> Study:
    """Make a study in `path`; with the identity ranking it is usable at once.

    Args:
        multiple: of channels that its networks are rounded to; None is `usual_multiple`.

    Raises:
        LegrError: see the parts; nothing is left behind that would pass for a study.
    """
    require_place(path)
    wanted = None if multiple is None else Constraints(multiple)
    spec = source.spec
    shape = images.input_shape or spec.input_shape
    if spec.dense:
        raise SettingsError(
            f"a study needs one answer an image, and {spec.name} answers for every place of it; "
            "look at it with `python -m legr inspect`, and prune it from Python"
        )
    require_normalization(images.normalize, shape)
    everything = load_dataset(images.data, shape, split_seed=images.split_seed, download=True, report=report)
    dataset = everything
    if images.classes is not None:
        dataset = everything.of_classes(listed_names(images.classes, everything.classes))
    outputs = everything.classes if source.outputs is None else listed_names(source.outputs, everything.classes)
    require_outputs(outputs, dataset.classes)
    original = _load(source, shape, dataset.classes, outputs, report)
    normalization = _normalization(images.normalize, everything, dataset, original.loaded)
    heldout = heldout_score(original.network, dataset, normalization)
    info = StudyInfo(
        name=path.resolve().name,
        model=spec.name,
        num_classes=len(dataset.classes),
        input_shape=shape,
        weights_sha256=hash_state(original.network.state_dict()),
        weights_origin=origin_of(original.info, dataset.fingerprint, images.split_seed) if original.info else "none",
        data_name=dataset.name,
        data_fingerprint=dataset.fingerprint,
        classes=dataset.classes,
        split_seed=images.split_seed,
        normalization=normalization,
        self_check=original.self_check,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        all_classes=everything.classes if len(dataset.classes) < len(everything.classes) else (),
        pruned_to=None if source.cuts is None else _share_left(spec, original.structure, shape, len(dataset.classes)),
        heldout=heldout,
    )
    note_pass_time(info.weights_sha256, _pass_seconds(original.network, dataset, normalization))
    if images.data not in CLASSES_OF:
        remember_folder(dataset.fingerprint, images.data)
    with making_study(path) as folder:
        _save(folder, source, original)
        ranker = Ranker(original.structure, filter_norms(original.network, original.structure))
        write_constraints(folder, wanted or Constraints(usual_multiple(ranker)))
        Study.create(folder, info, ranker.structure, ranker.norms)
    study = Study.open(path)
    if original_cost(study.structure).macs <= _JUDGED_AT_ONCE:
        calibration_of(study, dataset, torch.device("cpu"), report)
    return study


def _load(
    source: NetworkSource, shape: ImageShape, classes: Sequence[str], outputs: Sequence[str], report: Report
) -> _Original:
    """Build the original for some classes of the images, trace it, and prove what was traced.

    Args:
        outputs: classes that the weights predict, in their order.

    Raises:
        LegrError: see the parts.
        TraceError: nothing in it can be pruned.
    """
    spec, example = source.spec, torch.zeros(1, *shape)
    build = partial(build_cut, spec, source.cuts)
    loaded = load_for_classes(build, source.weights, classes, outputs) if source.weights else None
    network = loaded.network if loaded else build(len(classes))
    report(Progress("tracing", 0, 1))
    structure = trace(network, example)
    require_finite_answers(network, example.shape)  # else what follows names another cause
    if structure.n_units == 0:
        reasons = dict.fromkeys(f"{remark.operation}: {remark.reason}" for remark in structure.unprunable[:3])
        why = "; ".join(reasons) or "it has no layer"
        raise TraceError(f"nothing in {spec.name} can be pruned ({why}); `python -m legr inspect` names every place")
    require_class_outputs(network, example, len(classes))
    report(Progress("proving that zeroed = removed", 0, 1))
    return _Original(network, loaded, structure, verify(network, structure, example))


def _save(path: Path, source: NetworkSource, original: _Original) -> None:
    """Write weights and cuts into the folder of the new study."""
    if source.cuts is not None:
        save_cuts(path, source.cuts)
    metadata = original.info.metadata if original.info else None
    save_weights(original.network, path / "weights.safetensors", metadata, half=True)


def _share_left(spec: ModelSpec, structure: Structure, shape: ImageShape, n_classes: int) -> float:
    """MACs of a network that was cut before, as a fraction of the model's that it was cut from."""
    return original_cost(structure).macs / count(build_model(spec, n_classes), torch.zeros(1, *shape)).macs


def _stated(info: WeightsInfo | None, dataset: Dataset) -> str | None:
    """The normalization in the header of weights that `python -m legr train` wrote, if it is of these images."""
    made = (stated_training(info) if info else None) or {}
    kind = made.get("normalization") if made.get("data") == dataset.fingerprint else None
    return kind if kind in ("imagenet", "dataset") else None


def facts(study: Study, model: nn.Module) -> NewStudy:
    """What `new` reports about a study and its original network."""
    structure, curve = study.structure, study.curve("identity")
    cost = original_cost(structure)
    return NewStudy(
        study=study.info.name,
        model=study.info.model,
        units=structure.n_units,
        layers=len(structure.layers),
        macs=cost.macs,
        params=cost.params,
        floor=curve.floor,
        self_check=study.info.self_check,
        normalization=study.info.normalization.kind,
        thop_macs=thop_macs(model, study.info.input_shape),
        heldout=study.info.heldout,
        warning=study.info.warning,
        unprunable=structure.unprunable,
        calibration=study.calibration.key,
        calibration_words=calibration_words(study.folder, study.info),
        uncounted=structure.uncounted,
        multiple=study.constraints.multiple,
    )


def heldout_score(network: nn.Module, dataset: Dataset, normalization: Normalization) -> HeldoutScore:
    """How a network does on a few held-out images."""
    order = torch.arange(min(_TRIAL_IMAGES, len(dataset.heldout)))
    score = evaluate_split(network, dataset.heldout, normalization, device=torch.device("cpu"), order=order)
    return HeldoutScore(score.top1, score.images)


def _pass_seconds(network: nn.Module, dataset: Dataset, normalization: Normalization) -> float:
    """About how long a pass over the held-out images takes here, by the whole network on a few of them."""
    device = torch.device("cpu")
    images = min(_TIMED_IMAGES, len(dataset.heldout))
    order, dtype = torch.arange(images), fast_dtype(device)
    start = time.perf_counter()
    evaluate_split(network, dataset.heldout, normalization, device=device, dtype=dtype, order=order)
    return (time.perf_counter() - start) * min(SearchSettings().images, len(dataset.heldout)) / images


def _normalization(
    choice: str | Normalization | None,
    everything: Dataset,
    dataset: Dataset,
    loaded: Loaded | None,
) -> Normalization:
    """The user's choice, else what the weights' header says, else what scores better on held-out images.

    Args:
        everything: images of all classes, with which the weights were made.
        dataset: those of the study's classes.
        loaded: None where the weights are random.
    """
    choice = choice or _stated(loaded.info if loaded else None, everything)
    if choice == "imagenet":
        return IMAGENET_NORMALIZATION
    of_images = everything.statistics()
    if isinstance(choice, Normalization):
        return replace(choice, kind="custom") if choice.kind == of_images.kind and choice != of_images else choice
    if choice == "dataset" or loaded is None or len(of_images.mean) != len(IMAGENET_NORMALIZATION.mean):
        return of_images
    of_all = loaded.outputs == everything.classes
    model, images = (loaded.whole, everything.heldout) if of_all else (loaded.network, dataset.heldout)
    order, cpu = torch.arange(min(_TRIAL_IMAGES, len(images))), torch.device("cpu")
    pair = (IMAGENET_NORMALIZATION, of_images)
    imagenet_loss, loss = (evaluate_split(model, images, one, device=cpu, order=order).loss for one in pair)
    return of_images if loss <= imagenet_loss else IMAGENET_NORMALIZATION
