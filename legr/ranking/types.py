"""The facts of a ranking: filter norms, the affine map that makes them comparable, the order of removal.

Dims of arrays: L layers, U units, N units of the order, T steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legr.errors import SettingsError
from legr.structure.types import IntArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Norms:
    """Squared L2 norm of every filter, layer by layer in the order of `Structure.layers` (LeGR, section 3)."""

    values: tuple[FloatArray, ...]  # float64[filters] of each layer

    @property
    def deviations(self) -> FloatArray:
        """Standard deviation of each layer's norms, float64[L]: the scale on which kappa is drawn."""
        return np.array([layer.std() for layer in self.values])


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """The learned map of each layer: importance of filter i of layer l = alpha_l * norm_i + kappa_l (LeGR, eq. 3).

    Attributes:
        alpha: float64[L], each > 0 and finite.
        kappa: float64[L], finite.

    Raises:
        SettingsError: shapes differ, or a value is out of range.
    """

    alpha: FloatArray
    kappa: FloatArray

    def __post_init__(self) -> None:
        if self.alpha.shape != self.kappa.shape or self.alpha.ndim != 1:
            raise SettingsError(
                f"alpha and kappa must be two vectors of one length, got {self.alpha.shape} and {self.kappa.shape}"
            )
        if not (np.isfinite(self.alpha).all() and np.isfinite(self.kappa).all() and (self.alpha > 0).all()):
            raise SettingsError("alpha must be above 0 and both finite; the stored ranking is damaged: learn it again")

    @classmethod
    def identity(cls, n_layers: int) -> "Affine":
        """Plain global L2: norms compared as they are."""
        return cls(np.ones(n_layers), np.zeros(n_layers))

    @classmethod
    def of(cls, alpha: Sequence[float], kappa: Sequence[float]) -> "Affine":
        """Make one from plain lists."""
        return cls(np.array(alpha, dtype=np.float64), np.array(kappa, dtype=np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The order in which units leave, step by step: a smaller budget removes what a larger one does, and more.

    Attributes:
        order: int32[N], units, least important first; those that a floor, an exclusion or a pin keeps are not in it.
        scores: float64[U], importance of every unit.
        ends: int32[T + 1], units removed after each step; entry 0 is what pins remove at once. Without
            constraints every step is one unit: 0, 1, …, N.
    """

    order: IntArray
    scores: FloatArray
    ends: IntArray
