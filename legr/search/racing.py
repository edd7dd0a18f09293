"""What the losses of a candidate are worth beside those before it: its value, and when it has lost.

It does not know networks, images or how candidates are proposed; numpy only.
"""

from dataclasses import dataclass

import numpy as np

from legr.ranking.types import FloatArray
from legr.search.types import Candidate

_FEWEST = 3  # batches that a candidate is seen on at least
_LOOKS = 8  # times that a candidate is judged: every look is a chance to be wrong
_DOUBT = 2.0  # standard errors by which a candidate must be behind


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
        """The value of a candidate, estimated where it was stopped, and whether it was."""
        stopped = bool(np.isnan(losses).any())
        return self.estimate(losses, best) if stopped else self.value(losses), stopped

    def value(self, losses: FloatArray) -> float:
        """The value of a candidate that was seen on all batches."""
        return float(self._worth(losses).mean())

    def has_lost(self, losses: FloatArray, best: FloatArray) -> bool:
        """Whether a candidate is surely behind the best, by the differences on the batches seen so far."""
        differences = self._differences(losses, best)
        if len(differences) < _FEWEST or len(differences) % max(1, losses.shape[1] // _LOOKS):
            return False
        error = float(differences.std(ddof=1)) / np.sqrt(len(differences))
        return bool(differences.mean() > _DOUBT * error)

    def estimate(self, losses: FloatArray, best: Candidate) -> float:
        """The value of a candidate that was stopped: what the best is worth, and the difference seen so far."""
        return best.value + float(self._differences(losses, best.losses).mean())

    def _differences(self, losses: FloatArray, best: FloatArray) -> FloatArray:
        """By how much a candidate is behind on each batch that it has seen, float64[k]."""
        found: FloatArray = (self._worth(losses) - self._worth(best)).mean(axis=0)
        return found[np.isfinite(found)]

    def _worth(self, losses: FloatArray) -> FloatArray:
        return losses if len(losses) == 1 else losses / self.identity.mean(axis=1, keepdims=True)
