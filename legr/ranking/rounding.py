"""To which multiple of channels the networks of a new study are rounded, where no device has been asked yet."""

from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import Constraints
from legr.ranking.order import Ranker

#: Multiples that processors and accelerators like, the best first; most networks are made of multiples of 8.
_LIKED = (8, 4)
#: Of the MACs: a multiple is taken if networks as small as this are still reached, or nearly as small as without one.
_WITHIN_REACH, _NEARLY = 0.3, 1.25


def usual_multiple(ranker: Ranker) -> int:
    """8, or less for a network that it would leave too large; 1 where channels are best taken as they come."""
    floor = _floor(ranker, 1)
    return next((m for m in _LIKED if _floor(ranker, m) <= max(_WITHIN_REACH, _NEARLY * floor)), 1)


def _floor(ranker: Ranker, multiple: int) -> float:
    return BudgetCurve(ranker.structure, ranker.rank(constraints=Constraints(multiple))).floor
