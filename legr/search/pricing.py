"""How a search counts what networks and units cost: in MACs, or in milliseconds of a device."""

from dataclasses import dataclass

from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import Constraints
from legr.ranking.limits import Budget, Metric, amount_of
from legr.ranking.order import Ranker
from legr.ranking.prices import unit_latency
from legr.ranking.types import Affine, FloatArray
from legr.structure.branches import emptied_branches
from legr.structure.cost import cost, unit_macs
from legr.structure.types import Keep, LatencyModel


@dataclass(frozen=True)
class Pricing:
    """Ranks the networks of a search, and prunes them to budgets that are fractions of the original's cost.

    Candidates of a device are rounded to the channels that it likes: with the numbers that come by themselves, one that
    is slow for its size would be pruned harder than it ever will be.

    Attributes:
        device: predicts milliseconds; None: costs are MACs.
        multiple: of channels that candidates are rounded to.
        blocks: whether whole blocks may leave candidates.
    """

    ranker: Ranker
    device: LatencyModel | None = None
    multiple: int = 1
    blocks: bool = False

    @property
    def metric(self) -> Metric:
        """What budgets are fractions of."""
        return "macs" if self.device is None else "latency"

    @property
    def floor(self) -> float:
        """The smallest budget that the identity reaches."""
        return self.curve().floor_of(self.metric)

    def limit(self, budget: float) -> Budget:
        """A fraction of the original's cost as a budget."""
        return Budget(macs=budget) if self.device is None else Budget(latency=budget)

    def curve(self, affine: Affine | None = None) -> BudgetCurve:
        """The budget curve of a map."""
        ranking = self.ranker.rank(affine, Constraints(self.multiple, blocks=self.blocks))
        return BudgetCurve(self.ranker.structure, ranking, self.device)

    def step(self, curve: BudgetCurve, budget: float) -> int:
        """The step of a budget; the floor of a map may lie above that of the identity, which the budgets respect."""
        return curve.step(self.limit(max(budget, curve.floor_of(self.metric))))

    def prices(self, keep: Keep) -> FloatArray:
        """What each unit adds to the cost of the network that `keep` leaves, float64[U].

        The units of a block that has left share what its return would cost.
        """
        structure = self.ranker.structure
        if self.device is None:
            prices = unit_macs(structure, keep)
        else:
            prices = unit_latency(self.ranker.footprints, keep, self.device, self.multiple)
        for branch in emptied_branches(structure, keep):
            units = keep.units.copy()
            units[branch.units] = True
            without, whole = (
                amount_of(cost(structure, kept, self.device), self.metric) or 0.0 for kept in (keep, Keep(units))
            )
            prices[branch.units] = max(whole - without, 0.0) / len(branch.units)
        return prices
