"""How much two results of one network differ."""

import torch
from torch import Tensor

_NOTHING = 1e-6  # relative; a result that is smaller beside that of the whole network is taken as this large


def relative_error(expected: Tensor, actual: Tensor, scale: float, share: float = _NOTHING) -> float:
    """The largest difference, relative to the largest expected value; infinite where shapes, or integers, differ.

    Args:
        scale: the largest value of the whole network.
        share: differences are never compared with less than this share of it.
    """
    if expected.shape != actual.shape:
        return float("inf")
    if not expected.numel():
        return 0.0
    if not (expected.is_floating_point() or expected.is_complex()):
        return 0.0 if torch.equal(expected, actual) else float("inf")
    expected, actual = (x if x.is_complex() else x.double() for x in (expected, actual))
    difference = (expected - actual).abs().masked_fill_(expected == actual, 0.0)  # of infinite values that are equal
    return float(difference.max()) / max(largest(expected), share * scale, 1e-300)


def largest(x: Tensor) -> float:
    """The largest finite value; of integers 0.0, as they differ or not."""
    if not (x.is_floating_point() or x.is_complex()):
        return 0.0
    finite = x[x.isfinite()].abs()
    return float(finite.max()) if finite.numel() else 0.0
