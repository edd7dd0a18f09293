"""From measured points to the figures on screen: what was measured, and what lies between two measurements.

It does not know charts or pages. Nothing is ever estimated from MACs alone, and nothing beyond the outermost
measured points.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from legr.study.records import Latency, Point

ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure, and whether it was measured at this very network or lies between two that were."""

    value: float
    measured: bool


@dataclass(frozen=True, slots=True)
class Conditions:
    """Where latency was taken; figures of different conditions are never put on one line."""

    runtime: str
    device: str
    threads: int
    batch: int
    machine: str = ""

    @classmethod
    def of(cls, latency: Latency) -> "Conditions":
        """The conditions of one measurement."""
        return cls(*latency.conditions)

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'s' if self.threads != 1 else ''}"
        return f"{self.runtime}, {self.machine or self.device}, {threads}, batch {self.batch}"


@dataclass(frozen=True)
class Measurements:
    """The measured points of a study, sorted into the lines of the frontier.

    Attributes:
        points: as `Study.points` gives them.
    """

    points: Sequence[Point]

    @cached_property
    def original(self) -> Point | None:
        """The original network, as measured last, if it can be with a latency that is shown."""
        found = [p for p in self.points if p.ranking == ORIGINAL]
        return max(reversed(found), key=lambda p: self.latency_of(p) is not None, default=None)

    @cached_property
    def conditions(self) -> Conditions | None:
        """The conditions under which most latencies were taken, of such the last; None where there are none.

        Fine-tuned networks are not counted: another machine measures all others, but does not fine-tune them again.
        """
        found = [Conditions.of(p.latency) for p in self.points if p.latency and not p.finetuned]
        counts = Counter(found)
        return max(reversed(found), key=lambda conditions: counts[conditions], default=None)

    @cached_property
    def hindered(self) -> bool:
        """Whether other programs were in the way when a latency on screen was taken; `measure --again` mends that."""
        shown = (p for p in self.points if not p.finetuned and self.latency_of(p) is not None)
        return any(p.latency and p.latency.hindered for p in shown)

    @property
    def finetuned(self) -> list[Point]:
        """Networks measured after fine-tuning, smallest first."""
        return sorted((p for p in self.points if p.finetuned), key=lambda p: p.macs)

    def line(self, ranking: str) -> list[Point]:
        """Points of a ranking before fine-tuning, and the original, by rising MACs; empty where none was measured."""
        return self._lines.get(ranking, [])

    @cached_property
    def _lines(self) -> dict[str, list[Point]]:
        """Asked for at every place of the dial, and sorted once."""
        found: dict[str, dict[int, Point]] = {}
        for p in sorted(self.points, key=lambda p: self.latency_of(p) is not None):
            if not p.finetuned:
                found.setdefault(p.ranking, {})[p.macs] = p
        for line in found.values():
            if self.original:
                line[self.original.macs] = self.original
        return {ranking: [line[macs] for macs in sorted(line)] for ranking, line in found.items()}

    def latency_of(self, point: Point) -> float | None:
        """Latency of a point in ms, where it was taken under the study's conditions."""
        if point.latency is None or Conditions.of(point.latency) != self.conditions:
            return None
        return point.latency.milliseconds

    def top1(self, ranking: str, macs: int) -> Reading | None:
        """Accuracy before fine-tuning, in [0, 1], of the network with `macs` on a ranking's path."""
        return self._read(ranking, macs, lambda p: p.top1)

    def latency_ms(self, ranking: str, macs: int) -> Reading | None:
        """Latency of the network with `macs` on a ranking's path."""
        return self._read(ranking, macs, self.latency_of)

    def _read(self, ranking: str, macs: int, value_of: Callable[[Point], float | None]) -> Reading | None:
        if self.original and macs == self.original.macs:  # every ranking's path begins there
            value = value_of(self.original)
            return None if value is None else Reading(value, True)
        return reading({p.macs: value for p in self.line(ranking) if (value := value_of(p)) is not None}, macs)


def reading(known: Mapping[int, float], macs: int) -> Reading | None:
    """A figure at `macs`: what is known there, else on the line between its neighbours; None beyond the outermost."""
    if macs in known:
        return Reading(known[macs], True)
    places = sorted(known)
    if not places or not places[0] <= macs <= places[-1]:
        return None
    return Reading(float(np.interp(macs, places, [known[place] for place in places])), False)


def percent_of(fraction: float) -> float:
    """A fraction in per cent, rounded up to the fourth place: read back, it leads to the same network."""
    return math.ceil(1e6 * fraction - 1e-7) / 1e4
