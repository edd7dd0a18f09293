"""Hypotheses about the constants in a model's forward, which labels alone cannot decide.

Where a forward says `x[:, :4]`, the 4 may be half of the channels or a number of its own. A rule offers the
hypotheses that make sense there, the likeliest first. Tracing takes the first; a dry run of the pruned model
refutes it or not; a refuted one gives way to the next. The last is always that the channels are unprunable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple


class Assumption(Enum):
    """What may be assumed of the channels that one operation touches."""

    FOLLOWS_SHAPES = auto()  # its bounds are computed from shapes, and stay right in a smaller network
    EQUAL_PIECES = auto()  # it cuts the channels into pieces of one size, which all lose the same channels
    CONSTANT_BOUNDS = auto()  # its bounds are constants, so the channels up to them stay
    WHOLE_GROUPS = auto()  # a group of channels is removed whole
    SAME_IN_EVERY_GROUP = auto()  # every group loses the same channels, so the number of groups stays
    REMOVED_IS_HARMLESS = auto()  # a removed channel adds nothing to the result, and makes none of it NaN or infinite
    UNPRUNABLE = auto()  # nothing; the channels stay


@dataclass(frozen=True, slots=True)
class VariesAlong:
    """The channels of a result lie along `dim`; along its other dims they are coupled."""

    dim: int


Hypothesis = Assumption | VariesAlong


class Site(NamedTuple):
    """A line of the model's forward, as far as a trace can tell lines apart."""

    module: str  # class of the module that runs, or its path
    operation: str
    number: int  # the n-th operation of this name in one call of the module


@dataclass
class Hypotheses:
    """What is assumed at each site, and what has been refuted, over all attempts to trace one model."""

    refuted: dict[Site, int] = field(default_factory=dict)  # how many of the hypotheses at a site have been refuted
    unprunable_operations: set[Site] = field(default_factory=set)  # whatever their rules would do
    unprunable_modules: set[str] = field(default_factory=set)  # classes of modules whose inputs are unprunable
    everything_unprunable: bool = False  # where no hypothesis is left

    def at(self, site: Site, options: Sequence[Hypothesis]) -> Hypothesis:
        """The first of `options` that has not been refuted at a site; UNPRUNABLE where all have been."""
        number = self.refuted.setdefault(site, 0)
        return options[number] if number < len(options) else Assumption.UNPRUNABLE

    def refute(self, sites: Sequence[Site], operation: Site, modules: Sequence[str]) -> bool:
        """Give up the hypotheses at `sites`; without any, the operation; after that, the modules it runs in.

        Args:
            sites: where hypotheses were taken that bear on the operation that failed.
            operation: the operation itself.
            modules: classes of the modules around it, inner ones first.

        Returns:
            False where nothing is left to give up.
        """
        for site in sites:
            self.refuted[site] += 1
        if sites:
            return True
        if operation not in self.unprunable_operations:
            self.unprunable_operations.add(operation)
            return True
        left = [module for module in modules if module not in self.unprunable_modules]
        self.unprunable_modules.update(left[:1])
        return bool(left)
