"""The network that a report is about: its cost, and what is known of its accuracy and latency."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from legr.charts.measurements import ORIGINAL, Measurements, Reading, measurements_of
from legr.charts.sized_lines import sized_lines
from legr.charts.trained import known_on, together_top1, trained_top1
from legr.errors import SettingsError, StudyError
from legr.ranking.budget import BudgetCurve, CurveTable, table_of
from legr.ranking.limits import Budget
from legr.structure.cost import cost, original_cost
from legr.structure.types import Cost, Keep
from legr.study.heights import other_height, structures_by_height
from legr.study.kept_sets import keep_id
from legr.study.known import KnownNetwork, kept_set_of
from legr.study.records import Point, RankingName
from legr.study.store import Study
from legr.study.trained import TrainedRun, trained_runs

CurveOf = Callable[[RankingName], BudgetCurve]


@dataclass(frozen=True)
class ShownNetwork:
    """One network of a study, with the weights that it is handed out with.

    Attributes:
        ranking: that it was pruned by.
        budget: that was asked for.
        run: the fine-tuning run or the supernet whose weights it has; None: those of the original.
        by_run: it was asked for by its run; no ranking need lead to it today.
        as_cut: top-1 in [0, 1], not fine-tuned.
        trained: the same, fine-tuned or trained together with all budgets.
        latency: milliseconds.
        height: of the images that it takes, pixels; None: the study's own. The original always takes these.
        smaller_trained: MACs (of the original's) and top-1 of its ranking's trained networks with fewer MACs.
    """

    study: Study
    measured: Measurements
    ranking: RankingName
    budget: Budget
    keep: Keep
    run: TrainedRun | None
    by_run: bool
    as_cut: Reading | None
    trained: Reading | None
    latency: Reading | None
    height: int | None = None
    smaller_trained: tuple[tuple[float, float], ...] = ()

    @cached_property
    def cost(self) -> Cost:
        """What it costs with its images; activation memory is known with the study's own alone."""
        structure = self.study.structure if self.height is None else structures_by_height(self.study)[self.height]
        return cost(structure, self.keep)

    @cached_property
    def original_cost(self) -> Cost:
        """What the original costs."""
        return original_cost(self.study.structure)

    @property
    def macs_fraction(self) -> float:
        """Of the original's."""
        return self.cost.macs / self.original_cost.macs

    @property
    def budget_fraction(self) -> float:
        """The same if it had the study's own images: the budget that leads to it."""
        return cost(self.study.structure, self.keep).macs / self.original_cost.macs

    @property
    def is_whole(self) -> bool:
        """Nothing is removed and nothing is trained."""
        return self.run is None and self.height is None and bool(self.keep.units.all())

    @property
    def keep_id(self) -> str:
        """Its kept set."""
        return keep_id(self.keep)

    @cached_property
    def layers(self) -> CurveTable:
        """What each layer keeps, in one row."""
        return table_of(self.study.structure, self.keep)

    @property
    def top1(self) -> Reading | None:
        """Accuracy of the network as it is handed out, or as it would be; as cut where nothing else is known."""
        return self.trained or self.as_cut

    @property
    def original_top1(self) -> float | None:
        """Accuracy of the original."""
        return self.measured.original.top1 if self.measured.original else None

    @property
    def original_ms(self) -> float | None:
        """Latency of the original."""
        return self.measured.latency_of(self.measured.original) if self.measured.original else None

    @property
    def doubtful(self) -> bool:
        """Whether a latency with images of its height is doubtful, or one that is shown of other networks."""
        shown = self.measured.conditions
        sized = (one for one in self.measured.sized if (one.ranking, one.height) == (self.ranking, self.height))
        latencies = [latency for one in sized if (latency := one.latency(shown))]
        own = self.measured.contended or self.measured.unsteady > 0
        return own or any(latency.doubtful for latency in latencies)

    @property
    def known(self) -> KnownNetwork | None:
        """All that was measured of exactly this network, which takes the study's own images."""
        return None if self.height else self.measured.known.get(self.keep_id)

    @property
    def point(self) -> Point | None:
        """Its latest point before fine-tuning, under whatever ranking."""
        return self.known.pruned[-1] if self.known and self.known.pruned else None


def network_of(
    study: Study,
    budget: Budget,
    ranking: RankingName | None = None,
    *,
    run: str | None = None,
    curve_of: CurveOf | None = None,
    device: str = "",
    height: int | None = None,
) -> ShownNetwork:
    """The network of a budget, with the weights that it is handed out with, see `legr.study.trained.chosen_network`.

    Args:
        ranking: None: the study's default one.
        run: key of a fine-tuning run, whose network and weights take the place of the budget's.
        curve_of: the budget curve of a ranking; by default it is computed.
        device: name of the conditions whose latencies are shown; "": those of most latencies.
        height: of the images that it takes, pixels; None: the study's own, as always those of a run.

    Raises:
        SettingsError: no network was measured with images of that height.
        BudgetError: the budget is below the floor.
        StudyError: there is no such run, its kept set is lost, or nothing was learned for that ranking.
    """
    curves: dict[RankingName, BudgetCurve] = {}

    def curve(name: RankingName) -> BudgetCurve:
        if name not in curves:
            curves[name] = (curve_of or study.curve)(name)
        return curves[name]

    measured = measurements_of(study, curve, device=device)
    if run is not None:
        if other_height(study, height) is not None:
            raise SettingsError(f"size cannot be chosen for the network of a run, got {height}; leave one of both out")
        return _of_run(study, measured, budget, run, curve)
    ranking = ranking or study.default_ranking
    own = curve(ranking)
    keep = (study.curve(ranking, budget) if budget.needs_device else own).at(budget)
    if other_height(study, height) is not None:
        return _with_images(study, measured, ranking, budget, keep, int(height or 0))
    macs = cost(study.structure, keep).macs
    along = measured
    if own.macs[0] < own.original.macs:  # pinned layers keep the original off the curve: no line leads to it
        along = replace(measured, points=[point for point in measured.points if point.ranking != ORIGINAL])
    known, name = known_on(own, along), keep_id(keep)
    supernet = measured.supernets.get(ranking)
    together = together_top1(own, supernet)
    return ShownNetwork(
        study=study,
        measured=measured,
        ranking=ranking,
        budget=budget,
        keep=keep,
        run=next(iter(trained_runs(study, keep, ranking)), None),
        by_run=False,
        as_cut=along.top1(ranking, macs, name),
        trained=trained_top1(known, lambda n: along.top1(ranking, n, name), together, supernet)(macs),
        latency=along.latency_ms(ranking, macs, name),
        smaller_trained=tuple(
            (n / own.original.macs, other.top1_after)
            for n, other in sorted(known.items())
            if n < macs and other.top1_after is not None
        ),
    )


def _with_images(
    study: Study, measured: Measurements, ranking: RankingName, budget: Budget, keep: Keep, height: int
) -> ShownNetwork:
    """The network with images of another height than the study's."""
    known = [one for one in structures_by_height(study) if one in {network.height for network in measured.sized}]
    if height not in known:
        heights = ", ".join(map(str, [study.info.input_shape[1], *known]))
        raise SettingsError(
            f"size must be one that networks were measured with ({heights}), got {height}; "
            f"`python -m legr measure --sizes {height}` measures some"
        )
    macs, whole = cost(study.structure, keep).macs, original_cost(study.structure).macs
    lines = sized_lines(measured, ranking, height, whole)
    return ShownNetwork(
        study=study,
        measured=measured,
        ranking=ranking,
        budget=budget,
        keep=keep,
        run=next(iter(trained_runs(study, keep, ranking, height)), None),
        by_run=False,
        as_cut=lines.as_cut(macs),
        trained=lines.together(macs),
        latency=lines.latency(macs),
        height=height,
    )


def _of_run(study: Study, measured: Measurements, budget: Budget, key: str, curve_of: CurveOf) -> ShownNetwork:
    run = study.finetuned_run(key)
    keep = kept_set_of(study, run, curve_of) if run else None
    if run is None or keep is None:
        raise StudyError(f"{study.path.name} has no fine-tuning run {key!r} whose network can be opened")
    before = measured.known[run.keep_id].top1_before
    return ShownNetwork(
        study=study,
        measured=measured,
        ranking=run.ranking or study.default_ranking,
        budget=budget,
        keep=keep,
        run=run,
        by_run=True,
        as_cut=None if before is None else Reading(before, True),
        trained=Reading(run.top1, True),
        latency=measured.latency_of_network(run.keep_id),
    )
