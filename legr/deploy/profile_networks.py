"""The whole networks that a profile times, and that its table is fitted to."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import Constraints
from legr.ranking.order import Ranker
from legr.structure.types import Keep
from legr.study.kept_sets import keep_id

_MULTIPLES = (1, 4, 8, 16)
_BUDGETS = (0.75, 0.5, 0.3)  # fractions of MACs
_JUDGED_AT = 0.5  # multiples are
_EVERY = (2, 3)  # every second and every third block is left out of some networks


@dataclass(frozen=True, slots=True)
class NetworkToFit:
    """A whole network that is timed."""

    keep: Keep
    multiple: int | None = None  # it says what rounding to this gives


def networks_to_fit(ranker: Ranker) -> Iterator[NetworkToFit]:
    """Whole networks that the table is fitted to: of two rankings, rounded to each multiple and not, each once."""
    seen = set()
    for network in _all_networks(ranker):
        if keep_id(network.keep) not in seen:
            seen.add(keep_id(network.keep))
            yield network


def _all_networks(ranker: Ranker) -> Iterator[NetworkToFit]:
    structure, shapes = ranker.structure, [Constraints(multiple=multiple) for multiple in _MULTIPLES]
    for shape in shapes:
        curve = BudgetCurve(structure, ranker.rank(constraints=shape))
        yield NetworkToFit(curve.at(macs=max(_JUDGED_AT, curve.floor)), shape.multiple)
    yield NetworkToFit(Keep(np.ones(structure.n_units, dtype=bool)))
    for shape in shapes:
        for ranking in (ranker.rank(constraints=shape), ranker.rank_uniform(shape)):
            curve = BudgetCurve(structure, ranking)
            for budget in _BUDGETS:
                yield NetworkToFit(curve.at(macs=max(budget, curve.floor)))
    yield from _without_blocks(ranker)


def _without_blocks(ranker: Ranker) -> Iterator[NetworkToFit]:
    """Networks of fewer layers: they tell what each layer takes beside its own time."""
    blocks = [branch.name for branch in ranker.structure.branches]
    for every in _EVERY if len(blocks) > 1 else ():
        for multiple in (_MULTIPLES[0], _MULTIPLES[-1]):
            constraints = Constraints(multiple=multiple, removed_blocks=tuple(blocks[::every]))
            curve = BudgetCurve(ranker.structure, ranker.rank(constraints=constraints))
            for step in (0, len(curve.macs) // 2):
                yield NetworkToFit(curve.keep(step))
