"""Which network a request is about, and which run trained its weights. Loads without torch."""

from dataclasses import dataclass, replace

from legr.errors import StudyError
from legr.ranking.limits import Budget
from legr.structure.cost import cost, everything, original_cost
from legr.structure.types import Keep
from legr.study.known import CurveOf, kept_set_of
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study, keep_id
from legr.study.supernets import SupernetRun, points_by_network, smallest_macs, supernet_of, supernet_run
from legr.training.settings import TrainSettings

TrainedRun = FineTuned | SupernetRun


@dataclass(frozen=True, slots=True)
class ChosenNetwork:
    """A kept set, and the run that trained the weights that it has; None: they are the original's."""

    keep: Keep
    run: TrainedRun | None


def chosen_network(
    study: Study,
    budget: Budget,
    ranking: RankingName | None = None,
    *,
    trained: bool = True,
    run: str | None = None,
    curve_of: CurveOf | None = None,
    height: int | None = None,
) -> ChosenNetwork:
    """The network that a budget leads to, or that of a run.

    Args:
        trained: with the weights of the first of `trained_runs`, where there are some.
        run: key of a fine-tuning run: its network and its weights, wherever budget and ranking lead by now; or of a
            supernet of the ranking: its weights.
        curve_of: the budget curve of a ranking as it is now; by default it is computed.
        height: of the images that it takes; None: the study's own.

    Raises:
        BudgetError: the budget is out of range or below the floor.
        StudyError: there is no such run, its kept set is lost, or it has not trained this network.
    """
    supernet = supernet_run(study, run) if run else None
    if run is not None and supernet is None:
        keep, tuned = network_of_run(study, run)
        return ChosenNetwork(keep, tuned if trained else None)
    name = ranking or study.default_ranking
    curve = curve_of(name) if curve_of else study.curve(name, budget)
    keep = curve.at(budget)
    if not trained:
        return ChosenNetwork(keep, None)
    if supernet is not None:
        if (supernet.ranking, supernet.ranking_id) != (name, study.ranking_id(name)) or not _serves(
            study, supernet, keep
        ):
            raise StudyError(
                f"the supernet {run} has not trained this network: it follows another order, or it ends above this "
                "budget; train one along the ranking of today with `python -m legr supernet`"
            )
        return ChosenNetwork(keep, supernet)
    return ChosenNetwork(keep, next(iter(trained_runs(study, keep, name, height)), None))


def trained_runs(study: Study, keep: Keep, ranking: RankingName, height: int | None = None) -> tuple[TrainedRun, ...]:
    """The best fine-tuning run of a network, and the supernet that has trained it: what there is, the better first.

    The run is the better one, unless the supernet's weights are known to be better on held-out images, or the images
    have another height than those it has seen.

    Args:
        keep: on the ranking's curve.
        height: of the images; None: the study's own.
    """
    alone, together = study.best_finetuned(keep), supernet_for(study, keep, ranking, height)
    is_other = height not in (None, study.info.input_shape[1])
    if alone and (is_other or serves_better(together, keep_id(keep), alone)):
        return tuple(run for run in (together, alone) if run)
    return tuple(run for run in (alone, together) if run)


def serves_better(supernet: SupernetRun | None, keep: str, run: FineTuned) -> bool:
    """Whether a supernet's weights for a network are known to be better, on held-out images, than those of its run.

    Args:
        supernet: with points whose first have the study's own images.
        keep: name of the kept set.
    """
    if supernet is None or not supernet.points:
        return False
    point = points_by_network(supernet, supernet.points[0].side).get(keep)
    return point is not None and point.heldout_top1 is not None and point.heldout_top1 > run.heldout_top1


def supernet_for(study: Study, keep: Keep, ranking: RankingName, height: int | None = None) -> SupernetRun | None:
    """The supernet that has trained the network of a ranking; None where none has.

    The whole network keeps its own weights, but with images of another height that the supernet was trained on.

    Args:
        keep: on the ranking's curve.
        height: of the images; None: the study's own.
    """
    supernet = supernet_of(study, ranking)
    if supernet is None or not _serves(study, supernet, keep):
        return None
    others = {point.side for point in supernet.points} - {study.info.input_shape[1]}
    return supernet if height in others or not keep.units.all() else None


def _serves(study: Study, supernet: SupernetRun, keep: Keep) -> bool:
    return cost(study.structure, keep).macs >= smallest_macs(supernet, original_cost(study.structure).macs)


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


def original_trained(study: Study, settings: TrainSettings) -> FineTuned | None:
    """The run that trained the original itself once more with these settings; None where there is none.

    What the original gains from a training is no merit of a ranking. Of several runs, one with the same seed is
    preferred, then the best on held-out images.
    """
    whole = keep_id(everything(study.structure))
    runs = [run for run in study.finetuned if run.keep_id == whole and run.settings]
    same = [run for run in runs if run.settings and replace(run.settings, seed=settings.seed) == settings]
    return max(same, key=lambda run: (run.settings == settings, run.heldout_top1), default=None)
