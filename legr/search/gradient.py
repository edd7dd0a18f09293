"""Learn the maps by gradient: move log alpha and a shift of each layer so that the pruned network's loss falls.

The map of a layer follows from its two parameters:

    kappa = mean * (1 - alpha) + scale * shift

Here mean is the mean norm of the layer's filters, and scale the median absolute deviation of the scores of all
units at the identity. So alpha stretches the scores of a layer about their mean, and the shift moves them.

Every iteration takes a budget and a batch of training images, prunes the network to the budget by masks, and computes
the gradient of the loss with respect to every unit's mask. The mask of a unit is taken as a sigmoid of its score around
the threshold between kept and removed units, which gives the gradient with respect to the scores. The threshold moves
along, so that the cost stays the same: MACs, or milliseconds of a device (`Pricing`). The randomness of iteration i
depends on (seed, i) alone, and the state of the optimizer is stored with the proposal.
Dims of arrays: U units, L scored layers, F filters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from legr.bounds import Bounds
from legr.errors import StudyError
from legr.ranking.types import Affine, FloatArray, Ranking
from legr.record import Record
from legr.schema import Count, Real, build
from legr.search.budgets import Budgets
from legr.search.pricing import Pricing
from legr.search.types import PASSES_PER_TRAINING_IMAGE, Candidate, Proposal
from legr.structure.types import BoolArray

#: Largest log alpha and shift: alpha up to 5e8 is more than any ranking needs, and stays finite and above 0.
_BOUND = 20.0
_BETAS = 0.9, 0.99  # of Adam (Kingma and Ba, 2015)
#: Strides of a ranking that is learned between two epochs of a training.
BETWEEN_EPOCHS = 6
#: The search ends when each of the last three proposals keeps nearly the same units as the one three before it.
_WINDOW = 3

#: What the settings may be.
RANGES = {
    "rate": Bounds(0, 1, above=True),
    "softness": Bounds(0, 1, above=True),
    "memory": Bounds(0, 1, below=True),
    "stride": Bounds(1, 1000),
    "images": Bounds(2, 10_000_000),
    "still": Bounds(0, 2, above=True),
}


class Probe(Protocol):
    """Computes the gradient of a network's loss with respect to its units' masks."""

    def __call__(self, units: BoolArray, rng: np.random.Generator) -> FloatArray:
        """Return float64[U], where `units`, bool[U], are kept."""


@dataclass(frozen=True)
class GradientSettings:
    """Options of the gradient."""

    rate: float = 0.05  # learning rate of Adam, in units of log alpha and of the shift
    softness: float = 0.15  # fraction of the units within one width of the sigmoid around the threshold
    memory: float = 0.95  # decay of the exponential moving average of the parameters, which is proposed
    stride: int = 10  # iterations per proposal
    images: int = 128  # training images per iteration
    still: float = 0.985  # cosine similarity of kept sets at which the search ends; above 1 means never

    def __post_init__(self) -> None:
        for name, bounds in RANGES.items():
            bounds.require(name, getattr(self, name))


class GradientLearner:
    """Follows the gradient of the loss over budgets.

    Args:
        pricing: what networks cost, and units.
        probe: computes gradients with respect to masks.
        budgets: what the network is pruned to, iteration after iteration.
    """

    def __init__(
        self, pricing: Pricing, probe: Probe, *, budgets: Budgets, seed: int, settings: GradientSettings
    ) -> None:
        self._pricing, self._ranker, self._probe, self._settings = pricing, pricing.ranker, probe, settings
        self._budgets, self._seed = budgets, seed
        self._means = np.array([values.mean() for values in self._ranker.norms.values])
        identity = self._ranker.scores()
        self._scale = float(np.median(np.abs(identity - np.median(identity)))) or 1.0

    def propose(self, finished: Sequence[Candidate]) -> Proposal:
        """Go on for some iterations from the last candidate, and propose the moving average of the parameters.

        Args:
            finished: the candidates so far; never empty, as candidate 0 is the identity.
        """
        proposal = self.advance(finished[-1].proposal.state)
        maps = [*(candidate.affine for candidate in finished[-2 * _WINDOW + 1 :]), proposal.affine]
        return replace(proposal, settled=self._has_settled(maps))

    def advance(self, state: Mapping[str, Any], strides: int = 1) -> Proposal:
        """Go on for some iterations from a state, of an earlier proposal or of `start`; {} is the identity.

        Args:
            strides: times the iterations of one proposal.
        """
        optimizer, iterations = _Adam.resume(state, len(self._means)), strides * self._settings.stride
        for _ in range(iterations):
            optimizer.update(self._gradient(optimizer), self._settings)
        images = PASSES_PER_TRAINING_IMAGE * self._settings.images * iterations
        return Proposal(self._affine(optimizer.average), optimizer.to_dict(), images)

    def start(self, affine: Affine) -> dict[str, Any]:
        """The state that begins at a map."""
        optimizer = _Adam.resume({}, len(self._means))
        shift = (affine.kappa - self._means * (1 - affine.alpha)) / self._scale
        optimizer.parameters = np.stack((np.log(affine.alpha), shift)).clip(-_BOUND, _BOUND)
        return optimizer.to_dict()

    def _has_settled(self, maps: Sequence[Affine]) -> bool:
        """Whether each of the last maps keeps nearly the same units as the one `_WINDOW` before it."""
        if len(maps) < 2 * _WINDOW or self._settings.still > 1:
            return False
        kept = [self._kept(affine) for affine in maps]
        pairs = zip(kept[:_WINDOW], kept[_WINDOW:], strict=True)
        return all(a @ b >= self._settings.still * np.sqrt(a.sum() * b.sum()) for a, b in pairs)

    def _kept(self, affine: Affine) -> FloatArray:
        """Masks of the kept sets at some budgets, one after the other: 1 for a unit that stays, else 0."""
        curve, pricing = self._pricing.curve(affine), self._pricing
        units = [curve.keep(pricing.step(curve, budget)).units for budget in self._budgets.samples()]
        return np.concatenate(units).astype(np.float64)

    def _affine(self, parameters: FloatArray) -> Affine:
        """The map of the parameters, float64[2, L]."""
        log_alpha, shift = parameters
        alpha = np.exp(log_alpha)
        return Affine(alpha, self._means * (1 - alpha) + self._scale * shift)

    def _gradient(self, optimizer: "_Adam") -> FloatArray:
        """Gradient of the loss with respect to the parameters, float64[2, L], in the optimizer's next iteration."""
        rng = np.random.default_rng([self._seed, optimizer.iterations])
        affine = self._affine(optimizer.parameters)
        curve = self._pricing.curve(affine)
        curve_step = self._pricing.step(curve, self._budgets.at(optimizer.iterations))
        keep = curve.keep(curve_step)
        mask_slope = self._mask_slope(curve.ranking, curve_step)
        score_gradient = self._probe(keep.units, rng) * mask_slope
        cost_gradient = self._pricing.prices(keep) * mask_slope
        # The threshold moves along, so that the cost stays the same.
        score_gradient -= cost_gradient * (score_gradient.sum() / cost_gradient.sum())
        return self._parameter_gradient(score_gradient, affine.alpha)

    def _mask_slope(self, ranking: Ranking, curve_step: int) -> FloatArray:
        """Derivative of each unit's mask with respect to its score, float64[U]; 0 for units that never leave."""
        order, scores, n_removed = ranking.order, ranking.scores, int(ranking.ends[curve_step])
        block = self._pricing.multiple  # units that leave together have about one score in common: their mean
        last = order[max(n_removed - block, 0) : max(n_removed, 1)]
        next_ = order[min(n_removed, len(order) - 1) : n_removed + block]
        threshold = (scores[last].mean() + scores[next_].mean()) / 2
        slope = np.zeros(len(scores))
        slope[order] = _sigmoid_slope(scores[order] - threshold, self._settings.softness)
        return slope

    def _parameter_gradient(self, score_gradient: FloatArray, alpha: FloatArray) -> FloatArray:
        """From the gradient with respect to scores, float64[U], to that with respect to parameters, float64[2, L]."""
        layers, units, norms = self._ranker.filters  # [F] each
        distances = norms - self._means[layers]
        log_alpha = np.bincount(layers, score_gradient[units] * alpha[layers] * distances, len(alpha))
        shift = self._scale * np.bincount(layers, score_gradient[units], len(alpha))
        return np.stack((log_alpha, shift))


def _sigmoid_slope(distances: FloatArray, softness: float) -> FloatArray:
    """Slope of a sigmoid at distances from its middle; its width is the quantile `softness` of the distances."""
    width = float(np.quantile(np.abs(distances), softness)) or 1.0
    sigmoid = 1 / (1 + np.exp(-np.clip(distances / width, -50, 50)))  # beyond 50 widths the slope is 0 anyway
    return sigmoid * (1 - sigmoid) / width


_DAMAGED, _REMEDY = "the journal of the search holds a damaged state", "move it away and learn again"
_Rows = tuple[tuple[Real, ...], tuple[Real, ...]]  # log alpha, then the shift, of each layer


@dataclass(frozen=True)
class _StoredAdam(Record):
    """`_Adam` as plain data."""

    steps: Count
    point: _Rows
    first: _Rows
    second: _Rows
    average: _Rows


@dataclass
class _Adam:
    """State of the optimizer. Arrays are float64[2, L]: log alpha, then the shift, of each layer."""

    iterations: int
    parameters: FloatArray
    mean: FloatArray  # moving averages of the gradient and of its square (Adam's first and second moment)
    mean_square: FloatArray
    average: FloatArray  # moving average of the parameters

    @classmethod
    def resume(cls, state: Mapping[str, Any], n_layers: int) -> "_Adam":
        """Go on from a stored state; an empty one begins at the identity.

        Raises:
            StudyError: it is damaged, or of another network.
        """
        if not state:
            return cls(0, **{name: np.zeros((2, n_layers)) for name in _KEYS})
        try:
            stored = build(state, _StoredAdam)
            arrays = {name: np.array(getattr(stored, key), dtype=np.float64) for name, key in _KEYS.items()}
        except ValueError as error:
            raise StudyError(f"{_DAMAGED} ({error}); {_REMEDY}") from error
        if any(array.shape != (2, n_layers) for array in arrays.values()):
            raise StudyError(f"{_DAMAGED} (it is of another network); {_REMEDY}")
        return cls(stored.steps, **arrays)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"steps": self.iterations, **{key: getattr(self, name).tolist() for name, key in _KEYS.items()}}

    def update(self, gradient: FloatArray, settings: GradientSettings) -> None:
        """Move the parameters by one iteration of Adam, on the gradient scaled to length 1; then their average."""
        length = float(np.linalg.norm(gradient))
        gradient = gradient / length if length else gradient
        self.iterations += 1
        self.mean += (1 - _BETAS[0]) * (gradient - self.mean)
        self.mean_square += (1 - _BETAS[1]) * (gradient**2 - self.mean_square)
        mean = self.mean / (1 - _BETAS[0] ** self.iterations)
        mean_square = self.mean_square / (1 - _BETAS[1] ** self.iterations)
        moved = self.parameters - settings.rate * mean / (np.sqrt(mean_square) + 1e-12)
        self.parameters = moved.clip(-_BOUND, _BOUND)
        decay = min(settings.memory, 1 - 1 / self.iterations)  # at first the plain mean of all iterations
        self.average = decay * self.average + (1 - decay) * self.parameters


#: Arrays of `_Adam` -> their keys in a journal.
_KEYS = {"parameters": "point", "mean": "first", "mean_square": "second", "average": "average"}
