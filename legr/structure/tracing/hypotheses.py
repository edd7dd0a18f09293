"""Hypotheses about the constants in a model's forward, which labels alone cannot decide.

Where a forward says `x[:, :4]`, the 4 may be half of the channels or a number of its own. Each of these meanings is a
hypothesis. At every such site a rule offers `options`: the hypotheses that make sense there, the likeliest first.
Tracing takes the first; a dry run of the pruned model refutes it or not; a refuted one gives way to the next. After the
last one, the channels are unprunable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from torch import nn


class Hypothesis(Enum):
    """What a constant may mean for the channels that one operation touches."""

    FOLLOWS_SHAPES = auto()  # its bounds are computed from shapes, and stay right in a smaller network
    EQUAL_PIECES = auto()  # it cuts the channels into pieces of one size, which all lose the same channels
    CONSTANT_BOUNDS = auto()  # its bounds are constants, so the channels up to them stay
    WHOLE_CONV_GROUPS = auto()  # a convolution group is removed whole
    SAME_IN_EVERY_CONV_GROUP = auto()  # every convolution group loses the same channels; their number stays
    WHOLE_NORM_GROUPS = auto()  # a group of a GroupNorm is removed whole
    REMOVED_IS_HARMLESS = auto()  # a removed channel adds nothing to the result, and makes none of it NaN or infinite
    UNPRUNABLE = auto()  # nothing; the channels stay


@dataclass(frozen=True, slots=True)
class VariesAlong:
    """The hypothesis that the channels of a result lie along `dim`; along its other dims they are coupled."""

    dim: int


AnyHypothesis = Hypothesis | VariesAlong  # what a rule may offer


class Site(NamedTuple):
    """One operation call in a module's forward.

    Attributes:
        scope: class of the module, as all modules of a class have the same forward. Its path where the site is of this
            module alone: one of PyTorch's own that is a leaf or a Sequential, or a leaf whose operation failed.
        operation: name of the operation.
        number: the n-th operation of this name in one call of the module.
    """

    scope: str
    operation: str
    number: int


def kind_of(path: str, module: nn.Module) -> str:
    """What modules with the same lines of code share: their class; its path for one of PyTorch's own."""
    from_torch = type(module).__module__.startswith("torch.")
    is_plain = isinstance(module, nn.Sequential) or next(module.children(), None) is None
    return path if from_torch and is_plain else type(module).__qualname__


@dataclass
class Hypotheses:
    """What has been refuted at each site, over all attempts to trace one model."""

    n_refuted: dict[Site, int] = field(default_factory=dict)  # how many of the options at a site have been refuted
    unprunable_operations: set[Site] = field(default_factory=set)  # whatever their rules would do
    unprunable_modules: set[str] = field(default_factory=set)  # classes of modules whose inputs are unprunable
    everything_unprunable: str = ""  # why, where no hypothesis is left

    def take(self, site: Site, options: Sequence[AnyHypothesis]) -> AnyHypothesis:
        """Take the first of `options` that has not been refuted at a site; UNPRUNABLE where all have been."""
        number = self.n_refuted.setdefault(site, 0)
        return options[number] if number < len(options) else Hypothesis.UNPRUNABLE

    def refute(self, sites: Sequence[Site], failed: Site, modules: Sequence[str]) -> bool:
        """Refute the hypotheses taken at `sites`.

        If there are none, mark the operation unprunable; if it already is, the innermost module that is not yet.

        Args:
            sites: where hypotheses were taken that bear on the operation that failed.
            failed: the operation itself.
            modules: classes of the modules around it, inner ones first.

        Returns:
            False where all of these modules are unprunable already.
        """
        for site in sites:
            self.n_refuted[site] += 1
        if sites:
            return True
        if failed not in self.unprunable_operations:
            self.unprunable_operations.add(failed)
            return True
        left = [module for module in modules if module not in self.unprunable_modules]
        self.unprunable_modules.update(left[:1])
        return bool(left)
