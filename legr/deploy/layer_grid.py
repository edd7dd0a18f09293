"""At which numbers of channels a layer is timed, so that all others can be read between them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from legr.structure.latency import Counts, Size

VERSION = 1  # of the points: what was timed at others is of no use
BLOCK = 16  # channels that the widest vectors of a processor hold; times rise in steps of it, or of a divisor
_ALL_BLOCKS = 3  # layers of so few blocks are timed in each of them
_LARGE = 64 * BLOCK  # beside so many channels the remainder of a block weighs little
_SHARES = (1.0, 0.35, 0.1)  # else in these; a ranking's floor is a tenth


@dataclass(frozen=True, slots=True)
class Points:
    """Numbers of channels to time."""

    channels: Counts  # rising
    period: int = 0  # as in `LayerTimes.periods`


def points_of(size: Size, step: int, quantum: int) -> Points:
    """In some blocks both ends, of multiples of the quantum and of others.

    Args:
        step: only its multiples are possible.
    """
    whole = size.whole
    if 2 * step > BLOCK:
        return _few(whole, step)
    points: set[int] = {whole}
    for block in _blocks(whole):
        possible = _possible(block, whole, step)
        for is_multiple in (True, False):
            kind = possible[(possible % quantum == 0) == is_multiple]
            points.update(kind[[0, -1]].tolist() if len(kind) else ())
    return Points(np.array(sorted(points)))


def points_on_a_line(size: Size, step: int) -> Points:
    """The smallest number and the last of some blocks, for a layer that takes a little longer for each channel."""
    if 2 * step > BLOCK:
        return _few(size.whole, step)
    last = (_possible(block, size.whole, step)[-1:].tolist() for block in _blocks(size.whole))
    return Points(np.array(sorted({step, size.whole, *chain(*last)})))


def every_point_of(size: Size, step: int) -> Points:
    """In some blocks every number, for a product of matrices: it takes each remainder of a block in another way."""
    if size.whole > _LARGE:
        return points_on_a_line(size, step)
    if BLOCK % step:
        return points_of(size, step, 1)
    blocks = _blocks(size.whole, always=(1, 2))  # products of less than a block are made in ways of their own
    return Points(np.concatenate([_possible(block, size.whole, step) for block in blocks]), BLOCK)


def _few(whole: int, step: int) -> Points:
    """Of a few possible numbers those nearest to the shares, and the smallest."""
    possible = np.arange(step, whole + 1, step)
    wanted = {int(np.abs(possible - share * whole).argmin()) for share in (*_SHARES, 0.7, 0.0)}
    return Points(possible[sorted(wanted)])


def _blocks(whole: int, always: Iterable[int] = ()) -> Sequence[int]:
    """Which blocks are timed.

    Args:
        always: that are, where there are too many to time all.
    """
    n_blocks = -(-whole // BLOCK)
    if n_blocks <= _ALL_BLOCKS:
        return range(1, n_blocks + 1)
    return sorted({*always, *(max(1, round(share * n_blocks)) for share in _SHARES)})


def _possible(block: int, whole: int, step: int) -> Counts:
    """The possible numbers of a block."""
    numbers = np.arange((block - 1) * BLOCK + 1, min(block * BLOCK, whole) + 1)
    return np.asarray(numbers[numbers % step == 0])
