"""To which multiple of channels networks are rounded: one that devices like, with small networks still in reach."""

from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import MULTIPLES, Constraints
from legr.ranking.order import Ranker
from legr.structure.types import LatencyModel

#: Multiples that processors and accelerators like, the best first; most networks are made of multiples of 8.
_LIKED = (8, 4)
#: A multiple is taken if networks of so small a share of the MACs, or of the latency, which falls more slowly, are
#: still reached; or where so many times what is reached without one is.
_MACS, _LATENCY, _TIMES = 0.3, 0.4, 1.25


def usual_multiple(ranker: Ranker) -> int:
    """8, or less for a network that it would leave too large; 1 where channels are best taken as they come."""
    reach = max(_MACS, _TIMES * _floor(ranker, 1))
    return next((m for m in _LIKED if _floor(ranker, m) <= reach), 1)


def multiple_on(ranker: Ranker, device: LatencyModel, proposed: int, blocks: bool = False) -> int:
    """The multiple that is proposed for a device, or the largest smaller one that leaves fast networks in reach.

    Args:
        blocks: whole blocks may leave.
    """

    def floor(multiple: int) -> float:
        ranking = ranker.rank(constraints=Constraints(multiple, blocks=blocks))
        return BudgetCurve(ranker.structure, ranking, device).floor_of("latency")

    reach = max(_LATENCY, _TIMES * floor(1))
    return next((m for m in reversed(MULTIPLES) if 1 < m <= proposed and floor(m) <= reach), 1)


def _floor(ranker: Ranker, multiple: int) -> float:
    return BudgetCurve(ranker.structure, ranker.rank(constraints=Constraints(multiple))).floor
