"""The original network of a study, and the architecture it is built from."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from torch import nn

from legr.commands.checks import require_outputs
from legr.data.class_names import listed_names
from legr.errors import StudyError, TraceError, WeightsError
from legr.models.head import load_for_classes
from legr.models.weights import load_weights
from legr.models.zoo import ModelSpec, build_model
from legr.structure.surgery import apply_plan
from legr.structure.types import Plan
from legr.study.cuts import REMEDY, load_cuts
from legr.study.store import Study


def original(study: Study) -> nn.Module:
    """Load the network that a study is about.

    Raises:
        StudyError: its weights are not the ones the study was made with.
    """
    model = untrained(study, study.info.num_classes)
    if load_weights(model, study.weights_path).sha256 != study.info.weights_sha256:
        raise StudyError(
            f"{study.path.name}/weights.safetensors has changed since the study was made; "
            "restore it or make a new study"
        )
    return model.eval()


def build_cut(model: str | ModelSpec, cuts: Plan | None, num_classes: int) -> nn.Module:
    """Build an architecture, with random weights, and cut what was cut before the study began.

    Raises:
        TraceError: the cuts are not of this architecture.
    """
    network = build_model(model, num_classes)
    if cuts is not None:
        apply_plan(network, cuts)
    return network


def sha256_of_weights(study: Study, file: Path, outputs: Sequence[str] | None) -> str:
    """The digest (`hash_state`) that weights of the study's classes, or of all classes, would have in this study.

    Args:
        outputs: classes that they predict, in their order; None is the order of the images' classes.

    Raises:
        WeightsError: they do not fit.
    """
    info, build = study.info, partial(untrained, study)
    if outputs is not None:
        names = listed_names(outputs, info.all_classes or info.classes)
        require_outputs(names, info.classes)
        return load_for_classes(build, file, info.classes, names).info.sha256
    if info.all_classes:
        with suppress(WeightsError):
            return load_for_classes(build, file, info.classes, info.all_classes).info.sha256
    return load_for_classes(build, file, info.classes, info.classes).info.sha256


def untrained(study: Study, num_classes: int) -> nn.Module:
    """Build a study's original with random weights."""
    cuts = load_cuts(study)
    try:
        return build_cut(study.info.model, cuts, num_classes)
    except TraceError as error:
        raise StudyError(
            f"what {study.path.name} says was cut before it began does not fit {study.info.model} ({error}); {REMEDY}"
        ) from error
