"""The measured points of a study as lines, and the values that are read off them.

Between two measured networks a value is interpolated and marked as such. Nothing is estimated from MACs alone, and
nothing beyond the outermost measured networks.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from legr.escape import on_one_line
from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import UNCONSTRAINED
from legr.study.known import KnownNetwork, kept_set_of, known_networks, measured_points, rankings_that_lead_to
from legr.study.latency import Conditions, Latency
from legr.study.records import RANKINGS, FineTuned, Point, RankingName
from legr.study.sized import SizedNetwork, own_latencies, sized_networks
from legr.study.store import Study
from legr.study.supernets import SupernetRun, points_by_network, supernet_of
from legr.words import plural

ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class Reading:
    """A value, and whether it was measured at this network, is predicted, or lies between two measured ones."""

    value: float
    measured: bool
    predicted: bool = False  # by the profile of a device
    together: bool = False  # of weights that were trained together with those of all budgets


@dataclass(frozen=True, slots=True)
class Predicted:
    """Latencies that the profile of a device predicts."""

    conditions: Conditions
    milliseconds: Mapping[str, float]  # of networks, by kept set

    def latency_of_network(self, keep_id: str) -> Reading | None:
        """Latency in ms of exactly this network; None where its kept set is not known."""
        found = self.milliseconds.get(keep_id)
        return None if found is None else Reading(found, False, predicted=True)


@dataclass(frozen=True)
class Measurements:
    """The measured points of a study: sorted into the lines of the frontier, and by the network they were taken of.

    Attributes:
        points: as `Study.points` gives them, with their kept sets.
        runs: finished fine-tuning runs whose weights are there.
        earlier: points of rankings and constraints of before, not fine-tuned; they are figures of their networks, and
            lie on no line.
        plain: those of them that today's rankings have without the constraints.
        leads: the rankings that lead to each fine-tuned network today, by kept set; None: each lies on its own.
        openable: keys of the runs whose network can be opened, whatever the ranking is.
        device: the name of the conditions whose latencies are shown, see `device_name`; "" or one of which there is no
            latency: those of most latencies.
        predicted: what a profile of the shown device says; None: there is none.
        supernets: the best supernet of each ranking as it is today, with its points for inputs of the study's own size.
        height: of the study's images, pixels.
        sized: networks of today's rankings that were measured with images of other heights.
        own_latencies: further latencies of networks with images of the study's own height, by kept set.
    """

    points: Sequence[Point]
    runs: Sequence[FineTuned] = ()
    earlier: Sequence[Point] = ()
    plain: Sequence[Point] = ()
    leads: Mapping[str, Sequence[RankingName]] | None = None
    openable: frozenset[str] = frozenset()
    device: str = ""
    predicted: "Predicted | None" = None
    supernets: Mapping[str, SupernetRun] = field(default_factory=dict)
    height: int = 0
    sized: Sequence[SizedNetwork] = ()
    own_latencies: Mapping[str, Sequence[Latency]] = field(default_factory=dict)

    @cached_property
    def original(self) -> Point | None:
        """The latest point of the original network; one whose latency is shown is preferred."""
        points = [p for p in self.points if p.ranking == ORIGINAL]
        return max(reversed(points), key=lambda p: self.latency_of(p) is not None, default=None)

    @cached_property
    def devices(self) -> dict[str, Conditions]:
        """The conditions under which networks were timed, by name; the first are shown where none are chosen.

        The first are the conditions of most latencies, and of several as frequent the latest. Fine-tuned networks count
        after all others: measuring on another machine covers all networks but them.
        """
        taken = [(p.latency.conditions, p.finetuned) for p in (*self.plain, *self.points) if p.latency]

        def weight(conditions: Conditions) -> tuple[int, list[int]]:
            places = [place for place, one in enumerate(taken) if one == (conditions, None)]
            return len(places), places[-1:]

        ordered = sorted(dict.fromkeys(conditions for conditions, _ in taken), key=weight, reverse=True)
        return {device_name(conditions): conditions for conditions in ordered}

    @cached_property
    def conditions(self) -> Conditions | None:
        """The chosen conditions; None where there is no latency. Only these latencies are shown."""
        if self.predicted:
            return self.predicted.conditions
        return self.devices.get(self.device) or next(iter(self.devices.values()), None)

    @cached_property
    def contended(self) -> bool:
        """Whether other programs used the cores while a shown latency was measured; `measure --again` replaces it."""
        return any(latency.contended for latency in self._timed)

    @cached_property
    def unsteady(self) -> int:
        """How many of the shown latencies varied, also when they were taken again; `measure --again` replaces them."""
        return sum(latency.unsteady for latency in self._timed)

    @property
    def _timed(self) -> list[Latency]:
        """The shown latencies of networks as they were cut."""
        shown = (p.latency for p in self.points if p.latency and not p.finetuned)
        return [latency for latency in shown if latency.conditions == self.conditions]

    @property
    def finetuned(self) -> list[Point]:
        """The networks measured after fine-tuning, by rising MACs."""
        return sorted((p for p in self.points if p.finetuned), key=lambda p: p.macs)

    # -- of one network --------------------------------------------------------------------------------------------

    @cached_property
    def known(self) -> Mapping[str, KnownNetwork]:
        """What is known of each network, by its kept set."""
        return known_networks([*self.earlier, *self.points], self.runs)

    def order_of(self, point: Point | FineTuned) -> RankingName | None:
        """The ranking on whose order a fine-tuned network lies today, its own before others; None: it lies on none."""
        own = next((name for name in RANKINGS if name == point.ranking), None)
        if self.leads is None:
            return own
        leads = self.leads.get(point.keep_id, ())
        return own if own in leads else next(iter(leads), None)

    def run_of(self, point: Point) -> FineTuned | None:
        """The run of a fine-tuned point; None where its weights are not there."""
        runs = self.known[point.keep_id].runs if point.keep_id in self.known else ()
        return next((run for run in runs if point.finetuned and run.key == point.finetuned.key), None)

    def latency_of(self, point: Point) -> float | None:
        """Latency of a point in ms; None where it was measured under other conditions, or not at all."""
        if point.latency is None or point.latency.conditions != self.conditions:
            return None
        return point.latency.milliseconds

    def latency_of_network(self, keep_id: str) -> Reading | None:
        """Latency in ms of exactly this network."""
        latency = self.known[keep_id].latency(self.conditions) if keep_id in self.known else None
        further = (one for one in self.own_latencies.get(keep_id, ()) if one.conditions == self.conditions)
        latency = latency or next(further, None)
        return Reading(latency.milliseconds, True) if latency else None

    def latency_with_size(self, network: SizedNetwork) -> Reading | None:
        """Latency in ms of a network with images of its height; it is never predicted, as profiles know their own."""
        latency = network.latency(self.conditions)
        return Reading(latency.milliseconds, True) if latency else None

    # -- along a ranking -------------------------------------------------------------------------------------------

    def line(self, ranking: str) -> list[Point]:
        """The points of a ranking before fine-tuning, and the original, by rising MACs; [] where none was measured."""
        return self._lines.get(ranking, [])

    def own_line(self, ranking: str) -> list[Point]:
        """The same without the original."""
        return [p for p in self.line(ranking) if p.ranking != ORIGINAL]

    def plain_line(self, ranking: str) -> list[Point]:
        """The same of the ranking without the constraints; [] where there are none."""
        return self._plain_lines.get(ranking, [])

    @cached_property
    def _lines(self) -> dict[str, list[Point]]:
        """The lines of all rankings, sorted once: the dial reads them at every budget."""
        return self._sorted(self.points)

    @cached_property
    def _plain_lines(self) -> dict[str, list[Point]]:
        return self._sorted(self.plain)

    def _sorted(self, points: Sequence[Point]) -> dict[str, list[Point]]:
        by_macs: dict[str, dict[int, Point]] = {}
        for p in sorted(points, key=lambda p: self.latency_of(p) is not None):
            if not p.finetuned:
                by_macs.setdefault(p.ranking, {})[p.macs] = p
        for line in by_macs.values():
            if self.original:
                line[self.original.macs] = self.original
        return {ranking: [line[macs] for macs in sorted(line)] for ranking, line in by_macs.items()}

    def top1(self, ranking: str, macs: int, keep_id: str = "") -> Reading | None:
        """Top-1 accuracy in [0, 1], before fine-tuning, of the network of a ranking with these MACs.

        Args:
            keep_id: of that network: what was measured of it under another ranking counts as well.
        """
        own = self.known[keep_id].top1_before if keep_id in self.known else None
        return self._read(ranking, macs, lambda p: p.top1) if own is None else Reading(own, True)

    def latency_ms(self, ranking: str, macs: int, keep_id: str = "") -> Reading | None:
        """Latency in ms of the network of a ranking with these MACs; `keep_id` as for `top1`.

        What lies between two networks is not read where it can be predicted.
        """
        read = self._read(ranking, macs, self.latency_of)
        return self.latency_of_network(keep_id) or (None if self.predicted and read and not read.measured else read)

    def _read(self, ranking: str, macs: int, value_of: Callable[[Point], float | None]) -> Reading | None:
        if self.original and macs == self.original.macs:  # every ranking starts at the original
            value = value_of(self.original)
            return None if value is None else Reading(value, True)
        return reading({p.macs: value for p in self.line(ranking) if (value := value_of(p)) is not None}, macs)


def device_name(conditions: Conditions) -> str:
    """Conditions as one chooses them in a menu: "AMD EPYC, 1 thread, PyTorch 2.14.1"."""
    where = conditions.machine or conditions.device
    where += f" ({conditions.device})" if conditions.machine and conditions.device != "cpu" else ""
    batch = f", batch {conditions.batch}" if conditions.batch != 1 else ""
    return on_one_line(f"{where}, {plural(conditions.threads, 'thread')}, {conditions.runtime}{batch}")


def measurements_of(study: Study, curve_of: Callable[[RankingName], BudgetCurve], *, device: str = "") -> Measurements:
    """All that was measured of a study.

    Args:
        curve_of: the budget curve of one of its rankings.
        device: name of the conditions whose latencies are shown; "": those of most latencies.
    """
    points, runs = measured_points(study, curve_of), study.finetuned
    current: dict[str, str] = {name: study.ranking_id(name) for name in (*study.rankings, "original")}
    plain: dict[str, str] = {name: study.ranking_id(name, UNCONSTRAINED) for name in study.rankings}
    shown = [p for p in points if p.finetuned or p.ranking_id == current.get(p.ranking)]
    earlier = [p for p in points if not (p.finetuned or p.ranking_id == current.get(p.ranking))]
    tuned = [network for network in known_networks(points, runs).values() if network.finetuned or network.runs]
    curves = {name: curve_of(name) for name in study.rankings} if tuned else {}
    return Measurements(
        points=shown,
        runs=runs,
        earlier=earlier,
        plain=[p for p in earlier if p.ranking_id == plain.get(p.ranking)],
        leads=rankings_that_lead_to(tuned, curves),
        openable=frozenset(run.key for run in runs if kept_set_of(study, run, curve_of) is not None),
        device=device,
        supernets=_supernets(study),
        height=study.info.input_shape[1],
        sized=sized_networks(study),
        own_latencies=own_latencies(study),
    )


def _supernets(study: Study) -> dict[str, SupernetRun]:
    best = {name: supernet_of(study, name) for name in study.rankings}
    side = study.info.input_shape[1]
    return {
        name: replace(run, points=tuple(points_by_network(run, side).values())) for name, run in best.items() if run
    }


def reading(measured: Mapping[int, float], macs: int) -> Reading | None:
    """The value at some MACs: measured there, or interpolated between its neighbours; None beyond the outermost.

    Args:
        measured: values by MACs.
    """
    if macs in measured:
        return Reading(measured[macs], True)
    points = sorted(measured)
    if not points or not points[0] <= macs <= points[-1]:
        return None
    return Reading(float(np.interp(macs, points, [measured[point] for point in points])), False)


def percent_of(fraction: float) -> float:
    """A fraction in per cent, rounded up to four decimals: as a budget, it leads to the same network."""
    return math.ceil(1e6 * fraction - 1e-7) / 1e4
