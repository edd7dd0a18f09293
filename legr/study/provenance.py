"""Where a stored number comes from: the command that makes it again, its seed, time, machine and versions."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

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

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Self | None:
        """Read what a record holds under "made"; None where an earlier version noted nothing."""
        return cls.from_dict(data) if data else None

    def command_for(self, study: Path) -> str:
        """The command, for a study wherever it is by now."""
        words = self.words
        if "--study" in words[:-1]:
            words[words.index("--study") + 1] = str(study)
        return shlex.join(words)

    @property
    def words(self) -> list[str]:
        """The command, split as a shell does."""
        return shlex.split(self.command)
