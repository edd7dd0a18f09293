"""The network of a budget: pruned or fine-tuned, and with which batch-norm statistics."""

from dataclasses import dataclass, fields
from enum import Enum, auto
from typing import Literal

import torch
from torch import nn

from legr.commands.calibration import calibration_of
from legr.commands.provenance import stated_training
from legr.data.images import Dataset
from legr.errors import StudyError
from legr.models.weights import load_weights
from legr.progress import Report, silent
from legr.ranking.limits import Budget
from legr.structure.cost import cost, original_cost
from legr.structure.surgery import prune
from legr.structure.types import Keep
from legr.study.known import kept_set_of
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study, keep_id
from legr.training.batch_norm import has_batch_norms, with_better_statistics
from legr.training.calibration import PLAIN, Calibration


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
        macs_fraction: of the original's MACs.
        run: the finished fine-tuning run whose weights it has; None: it has not been fine-tuned, or only just now.
        calibration: what its batch norms are recalibrated on, or would be if its own statistics were not better.
    """

    model: nn.Module
    keep: Keep
    keep_id: str
    macs: int
    params: int
    macs_fraction: float
    run: FineTuned | None
    weights: Literal["pruned", "fine-tuned"]
    statistics: NormStatistics = NormStatistics.UNDECIDED
    calibration: Calibration = PLAIN

    @property
    def is_original(self) -> bool:
        """Nothing is removed and nothing is trained."""
        return self.weights == "pruned" and bool(self.keep.units.all())

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
) -> Network:
    """Prune `model`, the study's original, to a budget, or to the kept set of a fine-tuning run.

    Args:
        finetuned: load the weights of the best fine-tuning run of exactly this kept set, where there is one.
        run: key of a run: its network and its weights, wherever budget and ranking lead by now.

    Raises:
        BudgetError: the budget is out of range or below the floor.
        StudyError: there is no such run, or its kept set is lost.
    """
    if run is not None:
        return _network(study, model, *network_of_run(study, run), finetuned)
    keep = study.curve(ranking, budget).at(budget)
    return _network(study, model, keep, study.best_finetuned(keep), finetuned)


def network_of_units(study: Study, model: nn.Module, keep: Keep) -> Network:
    """Prune `model`, the study's original, to a kept set; it has the original's weights."""
    return _network(study, model, keep, None, finetuned=False)


def _network(study: Study, model: nn.Module, keep: Keep, run: FineTuned | None, finetuned: bool) -> Network:
    """Prune to a kept set; with the weights of the run, if there is one and they are asked for."""
    run = run if finetuned else None
    size, original = cost(study.structure, keep), original_cost(study.structure)
    pruned = prune(model, study.structure, keep)
    if run is not None:
        weights = study.finetuned_weights(run.key)
        made = stated_training(load_weights(pruned, weights))
        if made not in (None, run.provenance.to_dict()):
            raise StudyError(
                f"{study.path.name}/finetuned/{weights.name} holds the weights of another run than its record; "
                "restore both from one copy of the study, or fine-tune again"
            )
    return Network(
        model=pruned.eval(),
        keep=keep,
        keep_id=keep_id(keep),
        macs=size.macs,
        params=size.params,
        macs_fraction=size.macs / original.macs,
        run=run,
        weights="pruned" if run is None else "fine-tuned",
    )


def choose_statistics(
    study: Study, network: Network, dataset: Dataset, device: torch.device, report: Report = silent
) -> ReportedNetwork:
    """Decide which statistics a network is reported with: stored or recalibrated, as does better on held-out images.

    The original keeps its own. What is recalibrated on is the study's choice, which is made here if it is the first.
    """
    if network.is_original or not has_batch_norms(network.model):
        return network.with_statistics(network.model, recalibrated=False)
    calibration = calibration_of(study, dataset, device, report)
    model, recalibrated = with_better_statistics(
        network.model, dataset, study.info.normalization, device=device, calibration=calibration
    )
    return network.with_statistics(model, recalibrated=recalibrated, calibration=calibration)


def network_of_run(study: Study, key: str) -> tuple[Keep, FineTuned]:
    """The kept set and the record of a fine-tuning run.

    Raises:
        StudyError: there is no such run, or its kept set is lost.
    """
    run = study.finetuned_run(key)
    if run is None:
        raise StudyError(
            f"{study.path.name} has no fine-tuning run {key!r} with weights; choose one of the files in finetuned/"
        )
    keep = kept_set_of(study, run)
    if keep is None:
        raise StudyError(
            f"the kept set of the run {key} is not stored, and no ranking of {study.path.name} leads to it any more; "
            "fine-tune a network of a ranking of today"
        )
    return keep, run


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
