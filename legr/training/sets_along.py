"""Sets of weights along the budgets: a network reads what lies between the two sets around its budget."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class SetsAlong(nn.Module):
    """Values of some parameters at budgets evenly spread on a logarithmic scale; a network has those between two sets.

    Nothing else follows them, so networks far from each other share little, and those side by side are alike (a line
    in the space of weights, as Nunez et al., 2021, train between two ends).

    Args:
        own: parameters of the whole network, by name; they are the first set.
        smallest: fraction of MACs that the last set is for.
        n_sets: beside the whole network's own; 0: all networks have these.
    """

    def __init__(self, own: Mapping[str, nn.Parameter], smallest: float, n_sets: int) -> None:
        super().__init__()
        self._names, self._smallest = tuple(own), smallest
        self.sets = nn.ModuleList(
            nn.ParameterList([nn.Parameter(values.detach().clone()) for values in own.values()])
            for _ in range(n_sets if smallest < 1 and own else 0)
        )
        self._apart = 1

    @property
    def used(self) -> int:
        """How many sets networks read."""
        return len(self.sets) // self._apart

    def use(self, n_sets: int) -> None:
        """Let networks read some of the sets alone, evenly spread; see `blend` for those between.

        Args:
            n_sets: how many; a divisor of all.
        """
        self._apart = len(self.sets) // n_sets if len(self.sets) else 1

    @torch.no_grad()
    def blend(self, own: Mapping[str, Tensor]) -> None:
        """Give each set that is not read the values that a network of its budget has."""
        for number, values in enumerate(self.sets, 1):
            if number % self._apart:
                for kept, blended in zip(values.parameters(), self._between(number / self._apart, own), strict=True):
                    kept.copy_(blended)

    @torch.no_grad()
    def restrict(self, number: int, read: Mapping[str, Tensor]) -> None:
        """Set values of a set to 0.

        Args:
            number: of the set, from 1.
            read: those that stay: by name, bool of their shape.
        """
        for name, values in zip(self._names, self.sets[number - 1].parameters(), strict=True):
            values.mul_(read[name])

    def scale_gradients(self, own: Mapping[str, nn.Parameter], factors: Sequence[float]) -> None:
        """Multiply the gradients of each set that is read.

        Args:
            own: the whole network's parameters, by name; they are the first set.
            factors: one for each of these.
        """
        first = (own[name] for name in self._names)
        read = [first, *(values.parameters() for values in list(self.sets)[self._apart - 1 :: self._apart])]
        for parameters, factor in zip(read, factors, strict=True):
            gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
            if gradients:
                torch._foreach_mul_(gradients, factor)

    def at(self, fraction: float, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Values for a network, by name; gradients reach the two sets around it.

        Args:
            fraction: of the whole network's MACs that it has.
            own: the whole network's values, by name.
        """
        if not len(self.sets):
            return {name: own[name] for name in self._names}
        way = min(max(math.log(fraction) / math.log(self._smallest), 0.0), 1.0)
        return dict(zip(self._names, self._between(self.used * way, own), strict=True))

    def _between(self, place: float, own: Mapping[str, Tensor]) -> list[Tensor]:
        """Values between two sets that are read, in the order of names; place 0 is `own`, 1 the first of these."""
        number = min(int(place), self.used - 1)
        larger = self._set(number).parameters() if number else (own[name] for name in self._names)
        pairs = zip(larger, self._set(number + 1).parameters(), strict=True)
        return [torch.lerp(one, other, place - number) for one, other in pairs]

    def _set(self, number: int) -> nn.Module:
        return self.sets[number * self._apart - 1]
