"""Which numbers of channels a runtime has faster ways for: multiples of how many."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from legr.structure.latency import Counts, FloatArray

CANDIDATES = (2, 4, 8, 16, 32)
READ = np.arange(33, 65)  # channels that the convolutions read which are timed to find it
FILTERS, SIDE = 64, 28  # of these
_APART = 1.1  # times the others take, or a part of it


@dataclass(frozen=True, slots=True)
class Convolution:
    """A kind of convolution that may like multiples of its own."""

    kernel: int  # its side
    depthwise: bool = False

    @property
    def padding(self) -> int:
        """So that its result is as large as what it reads."""
        return self.kernel // 2


KINDS = (Convolution(3), Convolution(1), Convolution(3, depthwise=True))


def quantum_of(time: Callable[[Convolution, Counts], FloatArray]) -> int:
    """Time convolutions of several kinds with 33 to 64 channels; 1 where multiples take no other time.

    A runtime may convolve 3x3 as fast with any number of channels, and depthwise twice as fast with multiples.

    Args:
        time: milliseconds of a kind that reads so many channels.
    """
    found = [quantum_in(READ, time(kind, READ)) for kind in KINDS]
    return min((quantum for quantum in found if quantum > 1), default=1)


def quantum_in(channels: Counts, milliseconds: FloatArray) -> int:
    """The smallest number whose multiples take another time than what lies between them: mostly less, alone also more.

    Odd multiples are looked at, as the others may be multiples of a larger one; each beside its neighbours, as more
    channels take longer.
    """
    for quantum in CANDIDATES:
        odd = np.flatnonzero(channels[1:-1] % (2 * quantum) == quantum) + 1
        beside = (milliseconds[odd - 1] + milliseconds[odd + 1]) / 2
        if len(odd) and abs(np.log(np.median(milliseconds[odd] / beside))) > np.log(_APART):
            return quantum
    return 1
