"""Choices that labels cannot decide: what the constants in a model's forward assume.

It does not know operations. A choice is a hypothesis: tracing takes the first option, a rehearsal of the
pruned model proves it wrong, tracing takes the next; the last one is always to hold the channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

HOLD = "hold"

#: The line of a forward as far as a trace can name it: class of the module, operation, how manieth in one call.
Site = tuple[str, str, int]


@dataclass
class Policies:
    """What has been decided so far, over all attempts to trace one model."""

    chosen: dict[Site, int] = field(default_factory=dict)  # site -> number of the option
    forced: set[Site] = field(default_factory=set)  # operations whose inputs are held, whatever their rule would do
    closed: set[str] = field(default_factory=set)  # classes of modules whose inputs are held
    everything: bool = False  # whether nothing may go: where no hypothesis is left

    def option(self, site: Site, options: Sequence[str]) -> str:
        """The option to try at a site; where all have failed, to hold."""
        number = self.chosen.setdefault(site, 0)
        return options[number] if number < len(options) else HOLD

    def refute(self, sites: Sequence[Site], operation: Site, modules: Sequence[str]) -> bool:
        """Give up what was tried last: an option, then the operation, then the modules it runs in.

        Args:
            sites: where options were chosen at the operation that failed.
            operation: the operation itself.
            modules: classes of the modules around it, inner ones first.

        Returns:
            False where nothing is left to try.
        """
        for site in sites:
            self.chosen[site] += 1
        if sites:
            return True
        if operation not in self.forced:
            self.forced.add(operation)
            return True
        left = [module for module in modules if module not in self.closed]
        self.closed.update(left[:1])
        return bool(left)
