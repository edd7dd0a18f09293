"""Learn the maps by gradient: which way to move alpha and kappa so that the pruned network's loss falls.

It does not know how candidates are scored. Every step draws a budget and a batch of training images, cuts the
network there (by masks), and asks what each unit's return would change. A unit near the threshold follows its
score with the slope of a sigmoid; the threshold itself moves so that the MACs stay what they are. Everything
random about step i comes from (seed, i) alone, and its state travels with the proposal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from legr.ranking.budget import BudgetCurve
from legr.ranking.order import Ranker
from legr.ranking.types import Affine, FloatArray
from legr.search.types import Candidate, Proposal, require
from legr.structure.cost import unit_macs
from legr.structure.types import BoolArray

_GOLDEN = 0.6180339887498949  # steps of this share of the range cover it evenly at any number of steps
_FARTHEST = 20.0  # that a map may stray: exp of it is still a number
_BETAS = 0.9, 0.99  # of Adam (Kingma and Ba, 2015)
_WINDOW = 3  # proposals over which kept sets are compared, and that must agree
_LOOKED_AT = 5  # budgets of a slider at which they are


class Probe(Protocol):
    """Asks a network what its units are worth."""

    def __call__(self, units: BoolArray, rng: np.random.Generator) -> FloatArray:
        """How the loss rises with every unit's mask where `units` are kept, float64 (U,)."""


@dataclass(frozen=True)
class GradientSettings:
    """How the gradient is followed."""

    rate: float = 0.05  # of Adam, in units of log alpha
    softness: float = 0.15  # share of the units that count as near the threshold
    memory: float = 0.95  # of the running average of iterates that is proposed
    stride: int = 10  # steps a proposal
    images: int = 128  # training images a step
    still: float = 0.985  # likeness of kept sets (cosine) at which the search ends; above 1: never

    def __post_init__(self) -> None:
        require("rate", self.rate, 0 < self.rate <= 1, "in (0, 1]")
        require("softness", self.softness, 0 < self.softness <= 1, "in (0, 1]")
        require("memory", self.memory, 0 <= self.memory < 1, "in [0, 1)")
        require("stride", self.stride, self.stride >= 1, "at least 1")
        require("images", self.images, self.images >= 2, "at least 2")
        require("still", self.still, 0 < self.still <= 2, "in (0, 2]")


class GradientLearner:
    """Follows the gradient of the loss over budgets.

    Args:
        probe: runs the masked network.
        budgets: fractions of MACs to learn at; a pair (lowest, highest) where `spread`.
        spread: draw budgets between the two instead of taking them in turn.
    """

    def __init__(
        self,
        ranker: Ranker,
        probe: Probe,
        *,
        budgets: Sequence[float],
        spread: bool,
        seed: int,
        settings: GradientSettings,
    ) -> None:
        self._ranker, self._probe, self._settings = ranker, probe, settings
        self._budgets, self._spread, self._seed = budgets, spread, seed
        self._means = np.array([values.mean() for values in ranker.norms.values])
        plain = ranker.scores()
        self._unit = float(np.median(np.abs(plain - np.median(plain)))) or 1.0  # what an offset is counted in

    def propose(self, finished: Sequence[Candidate]) -> Proposal:
        """Take some steps from where the last proposal ended; propose the average of the way."""
        walk = _Walk.of(finished[-1].proposal.state, len(self._means))
        for _ in range(self._settings.stride):
            self._step(walk)
        affine = self._affine(walk.average)
        images = 3 * self._settings.images * self._settings.stride
        final = self._is_still([*(candidate.affine for candidate in finished[-2 * _WINDOW + 1 :]), affine])
        return Proposal(affine, walk.to_dict(), images, final)

    def _is_still(self, maps: Sequence[Affine]) -> bool:
        """Whether each of the last maps keeps much the same as the one some proposals before it (OFARPruning)."""
        if len(maps) < 2 * _WINDOW or self._settings.still > 1:
            return False
        kept = [self._kept(affine) for affine in maps]
        pairs = zip(kept[:_WINDOW], kept[_WINDOW:], strict=True)
        return all(a @ b >= self._settings.still * np.sqrt(a.sum() * b.sum()) for a, b in pairs)

    def _kept(self, affine: Affine) -> FloatArray:
        """1 for every unit that stays at every budget looked at, else 0."""
        curve = BudgetCurve(self._ranker.structure, self._ranker.rank(affine))
        ends = self._budgets[0], self._budgets[-1]
        budgets = np.linspace(*ends, num=_LOOKED_AT) if self._spread else self._budgets
        return np.concatenate([curve.at(macs=max(float(b), curve.floor)).units for b in budgets]).astype(np.float64)

    def _affine(self, point: FloatArray) -> Affine:
        """The map of a point: layers are stretched about their mean and moved."""
        alpha = np.exp(point[0])
        return Affine(alpha, self._means * (1 - alpha) + self._unit * point[1])

    def _step(self, walk: "_Walk") -> None:
        rng = np.random.default_rng([self._seed, walk.steps])
        affine = self._affine(walk.point)
        curve = BudgetCurve(self._ranker.structure, self._ranker.rank(affine))
        number = curve.step(macs=self._budget(walk.steps, curve.floor))
        keep = curve.keep(number)
        slopes = self._probe(keep.units, rng)
        order, cut = curve.ranking.order, int(curve.ranking.ends[number])
        scores = curve.ranking.scores
        threshold = (scores[order[max(cut - 1, 0)]] + scores[order[min(cut, len(order) - 1)]]) / 2
        nearness = np.zeros(len(scores))  # of units that can leave
        nearness[order] = _nearness(scores[order] - threshold, self._settings.softness)
        pull, price = slopes * nearness, unit_macs(self._ranker.structure, keep) * nearness
        pull -= price * (pull.sum() / price.sum())  # the threshold gives way so that the MACs stay
        walk.move(self._slopes_of_maps(affine.alpha, pull), self._settings)

    def _slopes_of_maps(self, alpha: FloatArray, pull: FloatArray) -> FloatArray:
        """From slopes by scores to slopes by log alpha and offset, float64 (2, L)."""
        layers, units, norms = self._ranker.filters
        along = np.bincount(layers, pull[units] * alpha[layers] * (norms - self._means[layers]), len(alpha))
        return np.stack((along, self._unit * np.bincount(layers, pull[units], len(alpha))))

    def _budget(self, step: int, floor: float) -> float:
        if not self._spread:
            return self._budgets[step % len(self._budgets)]
        low, high = self._budgets
        place = (np.random.default_rng(self._seed).random() + step * _GOLDEN) % 1
        return max(low + (high - low) * float(place), floor)


def _nearness(distances: FloatArray, softness: float) -> FloatArray:
    """Slope of a sigmoid that is so soft that a share of the units lies on its steep part."""
    width = float(np.quantile(np.abs(distances), softness)) or 1.0
    on = 1 / (1 + np.exp(-np.clip(distances / width, -50, 50)))
    return on * (1 - on) / width


@dataclass
class _Walk:
    """Where the search stands: log alpha and offsets, float64 (2, L), Adam's averages of their slopes."""

    steps: int
    point: FloatArray
    first: FloatArray
    second: FloatArray
    average: FloatArray

    @classmethod
    def of(cls, state: Mapping[str, Any], n_layers: int) -> "_Walk":
        """Go on from a stored state, or begin at the identity."""
        names = ("point", "first", "second", "average")
        if not state:
            return cls(0, *(np.zeros((2, n_layers)) for _ in names))
        return cls(state["steps"], *(np.array(state[name], dtype=np.float64) for name in names))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        arrays = {name: getattr(self, name).tolist() for name in ("point", "first", "second", "average")}
        return {"steps": self.steps, **arrays}

    def move(self, slopes: FloatArray, settings: GradientSettings) -> None:
        """One step of Adam on slopes of length 1, and the average after it."""
        length = float(np.linalg.norm(slopes))
        slopes = slopes / length if length else slopes
        self.steps += 1
        for mean, values, beta in ((self.first, slopes, _BETAS[0]), (self.second, slopes**2, _BETAS[1])):
            mean += (1 - beta) * (values - mean)
        first = self.first / (1 - _BETAS[0] ** self.steps)
        second = self.second / (1 - _BETAS[1] ** self.steps)
        self.point = (self.point - settings.rate * first / (np.sqrt(second) + 1e-12)).clip(-_FARTHEST, _FARTHEST)
        share = min(settings.memory, 1 - 1 / self.steps)
        self.average = share * self.average + (1 - share) * self.point
