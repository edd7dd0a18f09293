"""What a person calls a study: "ResNet-56 on CIFAR-10"."""

import re

_OWN = re.compile(r"^(.*[:/])?(cifar_)?")  # a library or a module of the user's, and our own prefix
_SPELLED = {
    "alexnet": "AlexNet",
    "convnext": "ConvNeXt",
    "densenet": "DenseNet",
    "efficientnet": "EfficientNet",
    "googlenet": "GoogLeNet",
    "inception": "Inception",
    "mobilenet": "MobileNet",
    "regnet": "RegNet",
    "resnet": "ResNet",
    "resnext": "ResNeXt",
    "shufflenet": "ShuffleNet",
    "squeezenet": "SqueezeNet",
    "vgg": "VGG",
}
_FAMILY = re.compile(rf"({'|'.join(_SPELLED)})[_-]?(?:v(\d)(?![0-9a-z]))?[_-]?(\d*)(.*)", re.IGNORECASE)
_DATA = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet": "ImageNet", "mnist": "MNIST"}


def study_title(name: str, model: str, data_name: str) -> str:
    """Network and images as a person would say them, and the study's own name where it says more than these."""
    known = f"{model_title(model)} on {data_title(data_name)}"
    return known if _repeats(name, model, data_name) else f"{known} · {name}"


def data_title(data_name: str) -> str:
    """Images as their authors spell them; unknown ones stay as they are."""
    return _DATA.get(data_name.lower(), data_name)


def model_title(model: str) -> str:
    """A model's name as its authors spell it; a name of no known family stays as it is, without its module."""
    short = _OWN.sub("", model)
    match = _FAMILY.fullmatch(short)
    if match is None:
        return short
    family, version, depth, rest = match.groups()
    spelled = _SPELLED[family.lower()] + (f"V{version}" if version else "") + (f"-{depth}" if depth else "")
    return " ".join([spelled, *re.split(r"[_-]+", rest.strip("_-"))]).strip()


def _repeats(name: str, model: str, data_name: str) -> bool:
    """Whether a study's name is made of its model's and its images' alone."""
    left = _letters(name)
    for word in sorted((_OWN.sub("", model), data_name), key=len, reverse=True):
        left = left.replace(_letters(word), "", 1)
    return not left


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()
