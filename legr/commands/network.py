"""What several commands need: the original network, its images, and the network of a budget.

It does not know what they are needed for.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from legr.data.encoded import ImageShape
from legr.data.folders import downloadable, find_source
from legr.data.images import Dataset
from legr.data.load import load_dataset
from legr.data.normalization import Normalization
from legr.errors import DataError, SettingsError, StudyError, TraceError, WeightsError
from legr.models.head import load_for_classes
from legr.models.weights import load_weights
from legr.models.zoo import ModelSpec, build_model
from legr.progress import Progress, Report, silent
from legr.ranking.budget import BudgetCurve
from legr.ranking.limits import Budget
from legr.structure.surgery import apply_plan, prune
from legr.structure.types import Keep, Plan
from legr.study.cuts import REMEDY, cuts_of
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study, keep_id
from legr.training.batch_norm import with_better_statistics


@dataclass(frozen=True)
class Network:
    """The network of a budget."""

    model: nn.Module
    keep: Keep
    keep_id: str
    macs: int
    params: int
    macs_fraction: float
    run: FineTuned | None  # the fine-tuning run whose weights it has

    @property
    def is_dense(self) -> bool:
        """Nothing is removed."""
        return bool(self.keep.units.all())


def require_answers(network: nn.Module, example: Tensor, n_classes: int) -> None:
    """Ask a network, which may be of the user's own, about one image.

    Raises:
        SettingsError: it does not take the image, or does not answer with one number a class.
    """
    try:
        with torch.inference_mode():
            found = network.eval()(example)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        shape = "x".join(map(str, example.shape))
        why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise SettingsError(f"the model does not take an input of {shape} ({why}); choose another --input") from error
    if not isinstance(found, Tensor) or found.shape != (1, n_classes):
        given = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"a {type(found).__name__}"
        raise SettingsError(
            f"the model must return a tensor of shape (1, {n_classes}) for one image of {n_classes} classes, "
            f"got {given}; let its factory take num_classes"
        )


def require_normalization(asked: str | Normalization | None, shape: ImageShape) -> None:
    """Refuse a normalisation that is none, or not one of these images.

    Raises:
        SettingsError: it is.
    """
    if isinstance(asked, str) and asked not in ("imagenet", "dataset"):
        raise SettingsError(f"normalize must be imagenet or dataset, got {asked!r}")
    if asked == "imagenet" and shape[0] != 3:
        raise SettingsError(f"ImageNet's normalisation is of 3 channels, and the input has {shape[0]}; use dataset")


def build_cut(model: str | ModelSpec, cuts: Plan | None, num_classes: int) -> nn.Module:
    """Build an architecture, with random weights, cut as it was before.

    Raises:
        TraceError: the cuts are not of this architecture.
    """
    network = build_model(model, num_classes)
    if cuts is not None:
        apply_plan(network, cuts)
    return network


def given_weights(study: Study, file: Path) -> str:
    """The name (see `hash_state`) that weights of the study's classes, or of all, would have in this study.

    Raises:
        WeightsError: they do not fit.
    """
    info, build = study.info, partial(_blank, study)
    if info.all_classes:
        with suppress(WeightsError):
            return load_for_classes(build, file, info.classes, info.all_classes).info.sha256
    return load_for_classes(build, file, info.classes, info.classes).info.sha256


def original(study: Study) -> nn.Module:
    """Load the network that a study is about.

    Raises:
        StudyError: its weights are not the ones the study was made with.
    """
    model = _blank(study, study.info.num_classes)
    if load_weights(model, study.weights_path).sha256 != study.info.weights_sha256:
        raise StudyError(
            f"{study.path.name}/weights.safetensors has changed since the study was made; "
            "restore it or make a new study"
        )
    return model.eval()


def _blank(study: Study, num_classes: int) -> nn.Module:
    """Build a study's original with random weights."""
    cuts = cuts_of(study)
    try:
        return build_cut(study.info.model, cuts, num_classes)
    except TraceError as error:
        raise StudyError(
            f"what {study.path.name} says was cut before it began does not fit {study.info.model} ({error}); {REMEDY}"
        ) from error


def normalization_of(study: Study) -> Normalization:
    """How this study's inputs are normalised."""
    stored = study.info.normalization
    return Normalization(stored["kind"], tuple(stored["mean"]), tuple(stored["std"]))


def images_of(study: Study, report: Report = silent) -> Dataset:
    """Load the images that a study was made with.

    Raises:
        DataError: they are not on this machine, or the folder holds others now.
    """
    info = study.info
    source = find_source(info.data_name, info.data_fingerprint)
    if source is None:
        raise DataError(
            f"the images of this study ({info.data_name}) are not known on this machine; "
            f"name their folder with `python -m legr data --study {study.path} --folder DIR`"
            + (", or download them with --download" if downloadable(info.data_name, info.data_fingerprint) else "")
        )
    dataset = load_dataset(source, info.input_shape, split_seed=info.split_seed, progress=data_progress(report))
    if dataset.fingerprint != info.data_fingerprint:
        raise DataError(
            f"{source} holds other images than this study was made with; "
            "name the right folder with `python -m legr data`"
        )
    return dataset if dataset.classes == info.classes else dataset.of_classes(info.classes)


def data_progress(report: Report) -> Callable[[str, int, int], None]:
    """Hand on the progress of images that are being read."""
    return lambda stage, done, total: report(Progress(stage, done, total))


def network_at(
    study: Study,
    model: nn.Module,
    budget: Budget,
    *,
    ranking: RankingName | None = None,
    finetuned: bool = True,
    curve: BudgetCurve | None = None,
) -> Network:
    """Cut `model`, the study's original, to a budget; with fine-tuned weights of exactly this kept set if asked.

    Args:
        curve: of that ranking as it was, where it may have changed meanwhile; None is as it is.

    Raises:
        BudgetError: the budget is out of range or below the floor.
    """
    curve = curve or study.curve(ranking)
    step = curve.step(budget)
    keep = curve.keep(step)
    run = study.best_finetuned(keep) if finetuned else None
    pruned = prune(model, study.structure, keep)
    if run is not None:
        load_weights(pruned, study.finetuned_weights(run.key))
    cost = int(curve.macs[step]), int(curve.params[step])
    return Network(pruned.eval(), keep, keep_id(keep), *cost, cost[0] / curve.dense.macs, run)


def network_id(study: Study, budget: Budget, ranking: RankingName | None = None) -> str:
    """Which network a budget leads to now: it is another once the ranking or the shape of the study has changed.

    Raises:
        BudgetError: the budget is out of range or below the floor.
    """
    return keep_id(study.curve(ranking).at(budget))


def require_network(study: Study, budget: Budget, ranking: RankingName | None, wanted: str | None) -> None:
    """Refuse to go on with another network than a job was started for, however long it has waited.

    Args:
        wanted: `network_id` of then; None takes any.

    Raises:
        StudyError: the ranking or the shape has been changed since.
    """
    if wanted is not None and network_id(study, budget, ranking) != wanted:
        raise StudyError(
            f"the ranking or the shape of {study.path.name} has changed since this was started, "
            "and its network at this budget is another one now; start it anew"
        )


def ready(
    study: Study, network: Network, dataset: Dataset, device: torch.device, *, tuned: bool = False
) -> tuple[nn.Module, bool]:
    """The network as it is reported and exported, and whether its batch norms were recalibrated.

    The untouched original keeps its own statistics; all others get those that do better on held-out images.

    Args:
        tuned: it has just been fine-tuned, and no run tells of it yet.
    """
    if network.is_dense and network.run is None and not tuned:
        return network.model, False
    return with_better_statistics(network.model, dataset, normalization_of(study), device=device)
