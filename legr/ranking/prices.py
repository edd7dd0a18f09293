"""What a unit costs beside MACs: milliseconds that its removal saves on a device, and bytes of its activations.

Dims of arrays: U units, G groups, V distinct label vectors.
"""

import numpy as np

from legr.ranking.footprints import Footprints
from legr.ranking.types import FloatArray
from legr.structure.cost import counts_of, unit_macs
from legr.structure.types import Keep, LatencyModel, Structure

_BYTES = 4  # of an activation, in float32
#: A unit's price is at least this share of what its MACs would cost if all MACs took equally long.
_LEAST = 0.1
_NEXT_TO_NOTHING = 1e-9  # of the highest price: no quotient is infinite


def unit_latency(footprints: Footprints, keep: Keep, device: LatencyModel, multiple: int = 1) -> FloatArray:
    """Milliseconds that each unit adds to the network that `keep` leaves, float64[U]; above 0.

    The time of a device falls in steps, so most single units save nothing. What is taken is the mean over the whole
    multiples around the network: one is added to a group and one is removed, as far as there are so many.

    Args:
        multiple: of channels, that the device likes.
    """
    structure = footprints.structure
    counts = counts_of(structure, keep)[:, 0]
    kept = np.bincount(footprints.group_of[keep.units], minlength=len(footprints.sizes))
    blocks = footprints.block_sizes(multiple)
    fewer = np.where(kept > blocks, blocks, 0)
    more = np.where(footprints.sizes - kept >= blocks, blocks, 0)
    whole = fewer + more == 0  # a group of less than two multiples: all of it
    fewer, more = np.where(whole, np.maximum(kept - 1, 0), fewer), np.where(whole, footprints.sizes - kept, more)
    moved = np.maximum(fewer + more, 1)  # 0 only in a group of one unit, which is then priced by its MACs
    gone = np.minimum(counts, 1)[:, None]  # 0 where a branch has left: no other unit's price brings it back
    least = np.maximum(counts[:, None] - (fewer[:, None] * footprints.positions).T, gone)
    most = counts[:, None] + (more[:, None] * footprints.positions).T
    saved = (device.milliseconds(most) - device.milliseconds(least)) / moved  # float64[G]
    macs = unit_macs(structure, keep)
    fair = macs * float(device.milliseconds(counts[:, None])[0]) / max(float(macs[keep.units].sum()), 1.0)
    prices: FloatArray = np.maximum(saved[footprints.group_of], _LEAST * fair)
    return prices


def unit_activation(structure: Structure) -> FloatArray:
    """Bytes of activations that layers write for each unit in the original network, float64[U], in float32.

    Read from the MACs of the layers: a transposed convolution counts the positions that it reads.
    """
    written = np.zeros(structure.n_units + 1)  # by label
    for op in structure.ops:
        axis = structure.axis_of.get((op.parameter or "", op.out_dim))
        if axis is not None:
            shape = structure.shapes.get(axis.parameter) or structure.filters[axis.parameter]
            kernel = int(np.prod(shape)) // (shape[op.out_dim] * shape[op.in_dim])
            np.add.at(written, axis.labels, _BYTES * op.macs / kernel)
    return written[1:]


def per_price(scores: FloatArray, prices: FloatArray) -> FloatArray:
    """Scores for a ranking in which a unit of half the price is worth as much at half the score, float64[U].

    The cheap way to an order that follows a device, without a search (FisherPruning divides by activations).

    Args:
        scores: from 0 on, as those of the identity are.
    """
    quotients: FloatArray = scores / np.maximum(prices, _NEXT_TO_NOTHING * prices.max(initial=1.0))
    return quotients
