"""How a supernet is trained: the networks of every step, and what all of them share. No torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from legr.bounds import Bounds
from legr.data.sizes import HEIGHTS
from legr.errors import SettingsError
from legr.schema import Several
from legr.training.settings import TrainSettings

SUPERNET_RANGES: Mapping[str, Bounds] = {
    "smallest": Bounds(0, 1, above=True),
    "networks": Bounds(0, 64),
    "smallest_every": Bounds(1, 1000),
    "whole_every": Bounds(1, 1000),
    "norms": Bounds(0, 64),
    "weights": Bounds(0, 64),
    "growth": Bounds(0, 1),
}
#: Settings that are plain numbers, beside those of any training.
SUPERNET_NUMBERS = ("networks", "smallest_every", "whole_every", "norms", "weights", "growth")

#: Values that all further sets of weights may have together: a training holds some ten copies of them, 4 bytes each.
MOST_VALUES = 2**26


@dataclass(frozen=True)
class SupernetSettings(TrainSettings):
    """How to train all networks of a ranking together; checked when it is made.

    Every step trains the smallest network and some of random budgets, which learn from the original's outputs alone,
    and every few steps the whole one, which learns from labels and the original's outputs (US-Net's sandwich rule, Yu
    and Huang, 2019).

    Attributes:
        smallest: fraction of MACs of the smallest network; that of the ranking's floor where this is below it.
        networks: of random budgets, a step; each is drawn from a part of its own of a logarithmic scale of MACs.
        smallest_every: steps from one in which the smallest network is trained to the next.
        whole_every: steps from one in which the whole network is trained to the next.
        norms: sets of batch-norm scales and offsets beside those of the whole network, at budgets evenly spread on a
            logarithmic scale; a network has those between the two sets around it. 0: all networks share one set.
        weights: the same of all other parameters; less for a large network, see `fitting`.
        growth: share of the epochs after which all of these are there. A run begins with as few as halving leaves, and
            doubles them in equal times; a new set begins between its neighbours. 0: all are there from the start.
        relearn: whether the ranking is learned again between the epochs of the first half, on the weights so far.
        sizes: sides of square inputs that the networks of random budgets get, one at random; () is the own size alone.

    Raises:
        SettingsError: a value is out of range.
    """

    lr: float = 0.02
    average: float = 0.999
    smallest: float = 0.1
    networks: int = 3
    smallest_every: int = 1
    whole_every: int = 8
    norms: int = 12
    weights: int = 16
    growth: float = 0.75
    relearn: bool = False
    sizes: Several[int] = ()

    @property
    def first_kept(self) -> int:
        """The first epoch whose weights may be kept: before it the networks followed another order."""
        return self.epochs // 2 if self.relearn else 0

    def fitting(self, params: int) -> "SupernetSettings":
        """The same for a network of so many parameters: sets of weights are halved until they fit in memory."""
        weights = self.weights
        while weights * params > MOST_VALUES:
            weights //= 2
        return replace(self, weights=weights)

    def weights_in(self, epoch: int) -> int:
        """Sets of weights, beside those of the whole network, that an epoch trains.

        Args:
            epoch: from 0.
        """
        doublings = (self.weights & -self.weights).bit_length() - 1 if self.weights else 0
        left = sum(epoch < self.growth * self.epochs * number / doublings for number in range(1, doublings + 1))
        return self.weights >> left

    @property
    def whole_interval(self) -> int:
        """Steps from one that trains the whole network to the next; without a teacher it teaches in every step."""
        return self.whole_every if self.distill else 1

    @property
    def networks_of_step(self) -> float:
        """How many networks a step trains, in the mean."""
        return self.networks + 1 / self.smallest_every + 1 / self.whole_interval

    @property
    def macs_of_step(self) -> float:
        """MACs of the networks of a step, as a multiple of the original's, in the mean over what is drawn."""
        mean = (1 - self.smallest) / -math.log(self.smallest) if self.smallest < 1 else 1.0
        return self.networks * mean + self.smallest / self.smallest_every + 1 / self.whole_interval

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, bounds in SUPERNET_RANGES.items():
            bounds.require(name, getattr(self, name))
        for side in self.sizes:
            HEIGHTS.require("size", side)
        if self.relearn and self.epochs < 2:
            raise SettingsError(f"epochs must be 2 or more with relearn, got {self.epochs}")
        if len(set(self.sizes)) != len(self.sizes):
            raise SettingsError(f"sizes must differ, got {', '.join(map(str, self.sizes))}")
