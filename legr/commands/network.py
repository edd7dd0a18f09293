"""The network of a budget: pruned or fine-tuned, and with which batch-norm statistics."""

from dataclasses import dataclass, fields, replace
from enum import Enum, auto
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from legr.commands.calibration import calibration_of
from legr.commands.heights import macs_of, require_heights
from legr.commands.provenance import stated_training
from legr.data.images import Dataset
from legr.data.sizes import scaled_shape
from legr.errors import StudyError
from legr.models.weights import load_weights
from legr.progress import Report, silent
from legr.ranking.limits import Budget
from legr.requests.measure import NetworkRequest
from legr.structure.cost import cost, original_cost
from legr.structure.model_io import deep_copy
from legr.structure.surgery import prune
from legr.structure.types import Keep
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study, keep_id
from legr.study.supernets import SupernetRun, weights_path
from legr.study.trained import TrainedRun, chosen_network
from legr.training.batch_norm import has_batch_norms, with_better_statistics
from legr.training.batch_norm import recalibrated as recalibrate
from legr.training.calibration import PLAIN, Calibration
from legr.training.supernet import Supernet


class NormStatistics(Enum):
    """Which statistics the batch norms of a network have."""

    UNDECIDED = auto()  # those of its weights; recalibrated ones may be better
    AS_STORED = auto()  # those of its weights, which are the better ones
    RECALIBRATED = auto()  # computed again on training images


@dataclass(frozen=True)
class Network:
    """The network that a budget leads to. Its statistics are undecided until it is a `ReportedNetwork`.

    Attributes:
        keep_id: short name of the kept set.
        macs: for one image of its height.
        macs_fraction: of the original's MACs, both for images of the same height.
        height: of the images that it takes; None: that of the original's.
        trained_by: the finished run whose weights it has; None: they are the original's, or were trained only just now.
        calibration: what its batch norms are recalibrated on, or would be if its own statistics were not better.
    """

    model: nn.Module
    keep: Keep
    keep_id: str
    macs: int
    params: int
    macs_fraction: float
    trained_by: TrainedRun | None
    weights: Literal["pruned", "fine-tuned", "shared"]
    height: int | None = None
    statistics: NormStatistics = NormStatistics.UNDECIDED
    calibration: Calibration = PLAIN

    @property
    def is_original(self) -> bool:
        """Nothing is removed, nothing is trained, and the images are those it was made for."""
        return self.weights == "pruned" and bool(self.keep.units.all()) and self.height is None

    @property
    def run(self) -> FineTuned | None:
        """The fine-tuning run whose weights it has."""
        return self.trained_by if isinstance(self.trained_by, FineTuned) else None

    @property
    def supernet(self) -> SupernetRun | None:
        """The supernet whose weights it has."""
        return self.trained_by if isinstance(self.trained_by, SupernetRun) else None

    @property
    def supernet_key(self) -> str:
        """Key of that supernet, as results say it; "": it has none."""
        return self.supernet.key if self.supernet else ""

    @property
    def recalibrated(self) -> bool:
        """Its batch norms have statistics of the pruned network, not those stored with its weights."""
        return self.statistics is NormStatistics.RECALIBRATED

    def with_statistics(
        self, model: nn.Module, *, recalibrated: bool, calibration: Calibration = PLAIN
    ) -> "ReportedNetwork":
        """The same network, its statistics decided.

        Args:
            model: with these statistics.
            calibration: what the choice was made with.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        statistics = NormStatistics.RECALIBRATED if recalibrated else NormStatistics.AS_STORED
        return ReportedNetwork(**{**values, "model": model, "statistics": statistics, "calibration": calibration})


@dataclass(frozen=True)
class ReportedNetwork(Network):
    """A network as it is scored, compared and exported: its statistics are the better ones on held-out images."""

    statistics: Literal[NormStatistics.AS_STORED, NormStatistics.RECALIBRATED] = NormStatistics.AS_STORED


def network_at(
    study: Study,
    model: nn.Module,
    budget: Budget,
    *,
    ranking: RankingName | None = None,
    finetuned: bool = True,
    run: str | None = None,
    height: int | None = None,
) -> Network:
    """Prune `model`, the study's original, to a budget, or to the kept set of a run; see `chosen_network`.

    Args:
        finetuned: load trained weights where there are some, be they fine-tuned or those of a supernet.
        run: key of a fine-tuning run or a supernet.
        height: of the images that it takes; None: that of the original's.

    Raises:
        SettingsError: the network cannot take images of that height.
        StudyError: as `chosen_network`, and where weights are not those of their record.
    """
    chosen = chosen_network(study, budget, ranking, trained=finetuned, run=run, height=height)
    network = _network(study, model, chosen.keep, chosen.run)
    return network if height is None else at_height(study, network, height)


def requested_network(study: Study, model: nn.Module, request: NetworkRequest) -> Network:
    """The network that a request names, see `network_at`; its size may be the study's own."""
    return network_at(
        study,
        model,
        request.budget,
        ranking=request.ranking,
        finetuned=request.finetuned,
        run=request.run,
        height=request.size,
    )


def at_height(study: Study, network: Network, height: int) -> Network:
    """A network for images of a height; raises as `network_at`."""
    shape = study.info.input_shape
    if height == shape[1]:
        return network
    require_heights(network.model, shape, [height])
    size = cost(study.structure, network.keep)
    return replace(
        network, height=height, macs=macs_of(network.model, study.structure, size, scaled_shape(shape, height))
    )


def load_supernet(study: Study, model: nn.Module, run: SupernetRun) -> Supernet:
    """A supernet with its weights.

    Args:
        model: the study's original, which stays as it is.

    Raises:
        StudyError: another version trained it, or its weights are those of another run.
    """
    name = f"{study.path.name}/{weights_path(study, run.key).name}"
    if run.settings is None:
        raise StudyError(f"{name} was trained by another version; train it again with `python -m legr supernet`")
    supernet = Supernet(deep_copy(model), run.smallest, run.settings)
    _load_trained(supernet, weights_path(study, run.key), name, run)
    return supernet.eval()


def network_of_units(study: Study, model: nn.Module, keep: Keep, run: SupernetRun | None = None) -> Network:
    """Prune `model`, the study's original, to a kept set; it has the weights of a supernet, or the original's."""
    return _network(study, model, keep, run)


def _network(study: Study, model: nn.Module, keep: Keep, run: TrainedRun | None) -> Network:
    """Prune to a kept set, with the weights that a run has trained."""
    size, original = cost(study.structure, keep), original_cost(study.structure)
    fraction = size.macs / original.macs
    if isinstance(run, SupernetRun):
        pruned = load_supernet(study, model, run).pruned(study.structure, keep)
    else:
        pruned = prune(model, study.structure, keep)
    if isinstance(run, FineTuned):
        weights = study.finetuned_weights(run.key)
        _load_trained(pruned, weights, f"{study.path.name}/finetuned/{weights.name}", run)
    return Network(
        model=pruned.eval(),
        keep=keep,
        keep_id=keep_id(keep),
        macs=size.macs,
        params=size.params,
        macs_fraction=fraction,
        trained_by=run,
        weights="pruned" if run is None else "shared" if isinstance(run, SupernetRun) else "fine-tuned",
    )


def _load_trained(network: nn.Module, weights: Path, name: str, run: TrainedRun) -> None:
    """Load the weights of a run; raises StudyError where the file, called `name`, says that they are of another."""
    if stated_training(load_weights(network, weights)) not in (None, run.provenance.to_dict()):
        raise StudyError(
            f"{name} holds the weights of another run than its record; restore both from one copy of the study, or "
            "train again"
        )


def at_height_of(network: Network, dataset: Dataset) -> Dataset:
    """Images of the height that a network takes."""
    return dataset if network.height is None else dataset.at_height(network.height)


def choose_statistics(
    study: Study, network: Network, dataset: Dataset, device: torch.device, report: Report = silent
) -> ReportedNetwork:
    """Decide which statistics a network is reported with: stored or recalibrated, as does better on held-out images.

    Args:
        dataset: the study's images, of whatever height; they are scaled to the network's.

    The original keeps its own; a slice of a supernet is always recalibrated. What is
    recalibrated on is the study's choice, which is made here if it is the first.
    """
    if network.is_original or not has_batch_norms(network.model):
        return network.with_statistics(network.model, recalibrated=False)
    calibration = calibration_of(study, dataset, device, report)
    dataset = at_height_of(network, dataset)
    if network.supernet is not None:  # its batch norms have no statistics of their own
        model = recalibrate(network.model, dataset, study.info.normalization, device=device, calibration=calibration)
        return network.with_statistics(model, recalibrated=True, calibration=calibration)
    model, recalibrated = with_better_statistics(
        network.model, dataset, study.info.normalization, device=device, calibration=calibration
    )
    return network.with_statistics(model, recalibrated=recalibrated, calibration=calibration)


def network_id(study: Study, budget: Budget, ranking: RankingName | None = None) -> str:
    """Name of the kept set that a budget leads to now; it changes with the ranking and the constraints.

    Raises:
        BudgetError: the budget is out of range or below the floor.
    """
    return keep_id(study.curve(ranking, budget).at(budget))


def require_network(study: Study, budget: Budget, ranking: RankingName | None, expected: str | None) -> None:
    """Refuse to go on with another network than a job was started for.

    Args:
        expected: `network_id` when it was started; None takes any.

    Raises:
        StudyError: the ranking or the constraints have changed since.
    """
    if expected is not None and network_id(study, budget, ranking) != expected:
        raise StudyError(
            f"the ranking, the shape or the device profile of {study.path.name} has changed since this was started, "
            "and its network at this budget is another one now; start it anew"
        )
