"""Learn the maps by gradient: move alpha and kappa so that the pruned network's loss falls.

Every step draws a budget and a batch of training images, prunes the network to the budget by masks, and computes the
gradient of the loss by every unit's mask. From masks to scores it goes through a sigmoid around the threshold between
kept and removed units; the threshold moves along, so that the MACs stay the same. Everything random about step i comes
from (seed, i) alone, and the state of the optimizer is stored with the proposal.
Shapes: U units, L scored layers, F filters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from legr.ranking.budget import BudgetCurve
from legr.ranking.order import Ranker
from legr.ranking.types import Affine, FloatArray, Ranking
from legr.search.types import Candidate, Proposal, require
from legr.structure.cost import unit_macs
from legr.structure.types import BoolArray

_GOLDEN = 0.6180339887498949  # steps of this share of the range cover it evenly at any number of steps
_LARGEST = 20.0  # of a parameter, so that its exponential is finite
_BETAS = 0.9, 0.99  # of Adam (Kingma and Ba, 2015)
_STORED = "point", "first", "second", "average"  # names in a journal of the arrays of `_Adam`
_WINDOW = 3  # proposals in a row whose kept sets must agree, each with the one as many proposals before
_COMPARED = 5  # budgets of the slider at which kept sets are compared


class Probe(Protocol):
    """Computes the gradient of a network's loss by its units' masks."""

    def __call__(self, units: BoolArray, rng: np.random.Generator) -> FloatArray:
        """Return float64[U], where `units`, bool[U], are kept."""


@dataclass(frozen=True)
class GradientSettings:
    """Options of the gradient."""

    rate: float = 0.05  # of Adam, in units of log alpha
    softness: float = 0.15  # share of the units that count as near the threshold
    memory: float = 0.95  # of the running average of iterates that is proposed
    stride: int = 10  # steps a proposal
    images: int = 128  # training images a step
    still: float = 0.985  # cosine similarity of kept sets at which the search ends; above 1: never

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
        probe: computes gradients by masks.
        budgets: fractions of MACs to learn at; a pair (lowest, highest) where `spread`.
        spread: whether budgets are drawn between the two instead of taken in turn.
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
        identity = ranker.scores()
        self._scale = float(np.median(np.abs(identity - np.median(identity)))) or 1.0  # what offsets are multiples of

    def propose(self, finished: Sequence[Candidate]) -> Proposal:
        """Take some steps from where the last proposal ended, and propose the running average of the iterates."""
        optimizer = _Adam.of(finished[-1].proposal.state, len(self._means))
        for _ in range(self._settings.stride):
            optimizer.step(self._gradient(optimizer), self._settings)
        affine = self._affine(optimizer.average)
        images = 3 * self._settings.images * self._settings.stride
        final = self._is_still([*(candidate.affine for candidate in finished[-2 * _WINDOW + 1 :]), affine])
        return Proposal(affine, optimizer.to_dict(), images, final)

    def _is_still(self, maps: Sequence[Affine]) -> bool:
        """Whether each of the last maps keeps nearly the same units as the one `_WINDOW` before it (OFARPruning)."""
        if len(maps) < 2 * _WINDOW or self._settings.still > 1:
            return False
        kept = [self._kept(affine) for affine in maps]
        pairs = zip(kept[:_WINDOW], kept[_WINDOW:], strict=True)
        return all(a @ b >= self._settings.still * np.sqrt(a.sum() * b.sum()) for a, b in pairs)

    def _kept(self, affine: Affine) -> FloatArray:
        """Masks of the kept sets at all compared budgets, one after the other: 1 for a unit that stays, else 0."""
        curve = BudgetCurve(self._ranker.structure, self._ranker.rank(affine))
        ends = self._budgets[0], self._budgets[-1]
        budgets = np.linspace(*ends, num=_COMPARED) if self._spread else self._budgets
        return np.concatenate([curve.at(macs=max(float(b), curve.floor)).units for b in budgets]).astype(np.float64)

    def _affine(self, parameters: FloatArray) -> Affine:
        """The map of float64[2, L]: log alpha stretches a layer's scores about their mean, the offset moves them."""
        alpha = np.exp(parameters[0])
        return Affine(alpha, self._means * (1 - alpha) + self._scale * parameters[1])

    def _gradient(self, optimizer: "_Adam") -> FloatArray:
        """Gradient of the loss by the parameters, float64[2, L], at the budget and on the images of this step."""
        rng = np.random.default_rng([self._seed, optimizer.steps])
        affine = self._affine(optimizer.parameters)
        curve = BudgetCurve(self._ranker.structure, self._ranker.rank(affine))
        number = curve.step(macs=self._budget(optimizer.steps, curve.floor))
        keep = curve.keep(number)
        by_mask = self._probe(keep.units, rng)
        mask_slope = self._mask_slope(curve.ranking, number)
        by_score, macs = by_mask * mask_slope, unit_macs(self._ranker.structure, keep) * mask_slope
        by_score -= macs * (by_score.sum() / macs.sum())  # the threshold moves along, so that the MACs stay the same
        return self._by_parameters(by_score, affine.alpha)

    def _mask_slope(self, ranking: Ranking, step: int) -> FloatArray:
        """Derivative of each mask by its unit's score, float64[U]; 0 for units that never leave."""
        order, scores, n_removed = ranking.order, ranking.scores, int(ranking.ends[step])
        threshold = (scores[order[max(n_removed - 1, 0)]] + scores[order[min(n_removed, len(order) - 1)]]) / 2
        slope = np.zeros(len(scores))
        slope[order] = _sigmoid_slope(scores[order] - threshold, self._settings.softness)
        return slope

    def _by_parameters(self, by_score: FloatArray, alpha: FloatArray) -> FloatArray:
        """From the gradient by scores to that by log alpha and offsets, float64[2, L]."""
        layers, units, norms = self._ranker.filters  # [F] each
        by_log_alpha = np.bincount(layers, by_score[units] * alpha[layers] * (norms - self._means[layers]), len(alpha))
        return np.stack((by_log_alpha, self._scale * np.bincount(layers, by_score[units], len(alpha))))

    def _budget(self, step: int, floor: float) -> float:
        if not self._spread:
            return self._budgets[step % len(self._budgets)]
        low, high = self._budgets
        share = (np.random.default_rng(self._seed).random() + step * _GOLDEN) % 1
        return max(low + (high - low) * float(share), floor)


def _sigmoid_slope(distances: FloatArray, softness: float) -> FloatArray:
    """Slope of a sigmoid at distances from its middle; its width is the quantile `softness` of the distances."""
    width = float(np.quantile(np.abs(distances), softness)) or 1.0
    sigmoid = 1 / (1 + np.exp(-np.clip(distances / width, -50, 50)))
    return sigmoid * (1 - sigmoid) / width


@dataclass
class _Adam:
    """State of the optimizer; float64[2, L] each."""

    steps: int
    parameters: FloatArray  # log alpha and offsets
    first: FloatArray  # Adam's averages of the gradient and of its square
    second: FloatArray
    average: FloatArray  # of the parameters over steps

    @classmethod
    def of(cls, state: Mapping[str, Any], n_layers: int) -> "_Adam":
        """Go on from a stored state, or begin at the identity."""
        if not state:
            return cls(0, *(np.zeros((2, n_layers)) for _ in _STORED))
        return cls(state["steps"], *(np.array(state[name], dtype=np.float64) for name in _STORED))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        arrays = (self.parameters, self.first, self.second, self.average)
        return {"steps": self.steps, **{name: array.tolist() for name, array in zip(_STORED, arrays, strict=True)}}

    def step(self, gradient: FloatArray, settings: GradientSettings) -> None:
        """One step of Adam on the gradient scaled to length 1, and the average after it."""
        length = float(np.linalg.norm(gradient))
        gradient = gradient / length if length else gradient
        self.steps += 1
        for mean, values, beta in ((self.first, gradient, _BETAS[0]), (self.second, gradient**2, _BETAS[1])):
            mean += (1 - beta) * (values - mean)
        first = self.first / (1 - _BETAS[0] ** self.steps)
        second = self.second / (1 - _BETAS[1] ** self.steps)
        moved = self.parameters - settings.rate * first / (np.sqrt(second) + 1e-12)
        self.parameters = moved.clip(-_LARGEST, _LARGEST)
        share = min(settings.memory, 1 - 1 / self.steps)
        self.average = share * self.average + (1 - share) * self.parameters
