"""Run a short command of the program in a process of its own and wait for it, so that no page loads torch."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from legr.models.config_file import with_settings
from legr.paths import explorer_folder
from legr.schema import SchemaError, parse


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        sentence: the error in one sentence; "" where the command succeeded.
        result: the JSON that it printed; {} where it printed none.
    """

    ok: bool
    sentence: str = ""
    result: dict[str, Any] = field(default_factory=dict)


def run_command(arguments: Sequence[str]) -> Outcome:
    """Run `python -m legr ARGUMENTS`, whose last argument is usually `--json`, and wait for it."""
    try:
        process = subprocess.run(
            [sys.executable, "-m", "legr", *arguments],
            cwd=explorer_folder(),
            env=with_settings(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        return Outcome(False, f"the command cannot be started ({error.strerror}); free some memory and try again")
    return read_outcome(process.returncode, process.stdout, process.stderr)


def read_outcome(code: int, stdout: str, stderr: str) -> Outcome:
    """Read how a command ended: exit 0 is success, 2 an error with one sentence for the user."""
    last = next((line.strip() for line in reversed(stderr.splitlines()) if line.strip()), "")
    if code == 2 and last:
        return Outcome(False, last)
    if code != 0:
        return Outcome(False, f"the command ended unexpectedly (exit {code}): {last or 'it said nothing'}")
    try:
        return Outcome(True, result=parse(stdout, dict[str, Any]))
    except SchemaError:  # nothing that a page can read
        return Outcome(True)
