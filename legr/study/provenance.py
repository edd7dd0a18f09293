"""Where a stored number comes from: the command that makes it again, its seed, time, machine and versions."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legr.arguments import option_of
from legr.ranking.limits import QUANTITIES, Budget
from legr.record import Record


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

    command: str = ""
    seed: int | None = None
    seconds: float | None = None
    machine: str = ""
    torch: str = ""
    python: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, without what was not noted."""
        return {name: value for name, value in super().to_dict().items() if value not in (None, "")}

    def command_for(self, study: Path) -> str:
        """The command, for a study wherever it is by now; "" where none was noted."""
        words = self.words
        if "--study" in words[:-1]:
            words[words.index("--study") + 1] = str(study)
        return shlex.join(words)

    @property
    def words(self) -> list[str]:
        """The command, split as a shell does."""
        return shlex.split(self.command)

    @property
    def budget(self) -> Budget | None:
        """The budget that the command asks for, if any."""
        words, limits = self.words, {}
        for name in QUANTITIES:
            option = option_of(name)
            if option in words[:-1]:
                limits[name] = float(words[words.index(option) + 1])
        return Budget(**limits) if limits else None


UNKNOWN = Provenance()  # an earlier version noted nothing
