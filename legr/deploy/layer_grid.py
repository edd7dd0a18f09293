"""At which numbers of channels a layer is timed, so that all others can be read between them."""

from collections.abc import Sequence

import numpy as np

from legr.structure.latency import Counts, Size

VERSION = 1  # of the points: what was timed at others is of no use
BLOCK = 16  # channels that the widest vectors of a processor hold; times rise in steps of it, or of a divisor
_ALL_BLOCKS = 3  # layers of so few blocks are timed in each of them
_SHARES = (1.0, 0.35, 0.1)  # else in these; a ranking's floor is a tenth


def points_of(size: Size, step: int, quantum: int) -> Counts:
    """Numbers of channels to time, rising: in some blocks both ends, of multiples of the quantum and of others.

    Args:
        step: only its multiples are possible.
    """
    whole = size.whole
    if 2 * step > BLOCK:  # few are possible: those nearest to the shares, and the smallest
        possible = np.arange(step, whole + 1, step)
        wanted = {int(np.abs(possible - share * whole).argmin()) for share in (*_SHARES, 0.7, 0.0)}
        return possible[sorted(wanted)]
    n_blocks = -(-whole // BLOCK)
    blocks = range(1, n_blocks + 1)
    if n_blocks > _ALL_BLOCKS:
        blocks_wanted: Sequence[int] = sorted({max(1, round(share * n_blocks)) for share in _SHARES})
    else:
        blocks_wanted = blocks
    points: set[int] = {whole}
    for block in blocks_wanted:
        first, last = (block - 1) * BLOCK + 1, min(block * BLOCK, whole)
        possible = np.arange(first, last + 1)
        possible = possible[possible % step == 0]
        for is_multiple in (True, False):
            kind = possible[(possible % quantum == 0) == is_multiple]
            points.update(kind[[0, -1]].tolist() if len(kind) else ())
    return np.array(sorted(points))
