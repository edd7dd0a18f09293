"""Where a stored number comes from: the command that makes it again, its seed, time, machine and versions."""

import shlex
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from legr.arguments import option_of
from legr.errors import BudgetError
from legr.ranking.limits import PROFILE, QUANTITIES, Budget, budget_of
from legr.record import Record
from legr.schema import Count, Name, Real, Text


@dataclass(frozen=True)
class Provenance(Record):
    """How a stored number was made; "made" in JSON. What an earlier version did not note has its default.

    Attributes:
        command: a line for a shell; it names a study by its folder's name, as no path of a machine is stored.
        seed: None where nothing is drawn at random.
        seconds: that it took, the times before it was interrupted included.
        machine: processor or accelerator.
        torch, python: versions.
    """

    command: Text = ""
    seed: Count | None = None
    seconds: Real | None = None
    machine: Name = ""
    torch: Name = ""
    python: Name = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, without what was not noted."""
        return {name: value for name, value in super().to_dict().items() if value not in (None, "")}

    @property
    def words(self) -> list[str]:
        """The command, split as a shell does; [] where it is no line for a shell."""
        try:
            return shlex.split(self.command)
        except ValueError:
            return []

    @property
    def budget(self) -> Budget | None:
        """The budget that the command asks for, if any."""
        words = self.words
        options = {name: option_of(name) for name in (*QUANTITIES, PROFILE)}
        texts = {name: words[words.index(o) + 1] for name, o in options.items() if o in words[:-1]}
        with suppress(ValueError, BudgetError):
            return budget_of(texts)
        return None


UNKNOWN = Provenance()  # an earlier version noted nothing
