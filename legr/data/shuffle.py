"""A seeded order that stays the same in every version: held-out images must stay held out on every machine."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["SEEDS", "permutation"]

SEEDS = 2**32
"""Seeds are in [0, SEEDS)."""


def permutation(count: int, seed: int) -> NDArray[np.int64]:
    """Return 0 .. count - 1, shuffled; a new call with the same arguments returns the same order."""
    # RandomState is the one generator whose stream is promised never to change with the version.
    return np.random.RandomState(seed).permutation(count).astype(np.int64)
