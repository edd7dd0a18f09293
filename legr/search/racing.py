"""Racing: the value of a candidate by its losses, and when it is stopped because it has lost.

Dims of arrays: B budgets, K batches, S batches that a candidate was scored on.
"""

from dataclasses import dataclass

import numpy as np

from legr.ranking.types import FloatArray
from legr.search.types import Candidate

_FEWEST = 3  # batches that a candidate is scored on at least
_TESTS = 8  # times that a candidate is tested at most: every test may stop a good one by chance
_ERRORS = 2.0  # standard errors by which a candidate must be behind to be stopped


@dataclass(frozen=True)
class Race:
    """Compares candidates on the same batches.

    With one budget the value is the mean loss there; with several, the mean of the losses in units of what
    the identity loses at each budget, so that no budget drowns the others.

    Args:
        identity: float64[B, K], losses of candidate 0.
    """

    identity: FloatArray

    def verdict(self, losses: FloatArray, best: Candidate) -> tuple[float, bool]:
        """The value of a candidate, estimated where it was stopped, and whether it was stopped."""
        stopped = bool(np.isnan(losses).any())
        return self.estimate(losses, best) if stopped else self.value(losses), stopped

    def value(self, losses: FloatArray) -> float:
        """The value of a candidate that was scored on all batches."""
        return float(self._relative(losses).mean())

    def has_lost(self, losses: FloatArray, best: FloatArray) -> bool:
        """Whether a candidate is significantly behind the best on the batches so far (paired differences)."""
        differences = self._differences(losses, best)
        if len(differences) < _FEWEST or len(differences) % max(1, losses.shape[1] // _TESTS):
            return False
        error = float(differences.std(ddof=1)) / np.sqrt(len(differences))
        return bool(differences.mean() > _ERRORS * error)

    def estimate(self, losses: FloatArray, best: Candidate) -> float:
        """The value of a candidate that was stopped: that of the best, plus the mean difference so far."""
        return best.value + float(self._differences(losses, best.losses).mean())

    def _differences(self, losses: FloatArray, best: FloatArray) -> FloatArray:
        """How far a candidate is behind the best on each batch that it was scored on, float64[S]."""
        differences: FloatArray = (self._relative(losses) - self._relative(best)).mean(axis=0)
        return differences[np.isfinite(differences)]

    def _relative(self, losses: FloatArray) -> FloatArray:
        """Losses, in units of the identity's at each budget where there are several."""
        return losses if len(losses) == 1 else losses / self.identity.mean(axis=1, keepdims=True)
