"""How commands talk: progress and errors on stderr, one JSON object on stdout, an exit code.

It does not know any command. 0 done, 2 user error (one sentence), 130 interrupted.
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any

import typer

from legr.errors import LegrError
from legr.escape import brief, in_line, in_terminal
from legr.files import in_words
from legr.progress import Progress, duration
from legr.record import Record

COUNTED = ("pass", "epoch", "point")  # steps that are always said
_EVERY_S = 1.0


def say(text: str) -> None:
    """Write one line to stderr."""
    print(in_line(text), file=sys.stderr, flush=True)


def result(record: Record, as_json: bool, sentence: str) -> None:
    """Print a command's result: the JSON object, or a sentence for people."""
    print(json.dumps(record.to_dict()) if as_json else in_terminal(sentence), flush=True)


class Echo:
    """Writes progress to stderr: every pass, epoch and point; anything else once a second."""

    def __init__(self) -> None:
        self._stage, self._done, self._written = "", -1, 0.0

    def __call__(self, progress: Progress) -> None:
        counted = progress.stage in COUNTED
        now = time.monotonic()
        known = progress.done == self._done and not progress.values if counted else now - self._written < _EVERY_S
        if progress.stage == self._stage and known:
            return
        self._stage, self._done, self._written = progress.stage, progress.done, now
        say(describe(progress))


def describe(progress: Progress) -> str:
    """One line, such as "pass 12 of 400 · best loss 0.6123 · 8 min left"."""
    if progress.total <= 1 and progress.stage not in COUNTED:
        return progress.stage
    parts = [f"{progress.stage} {progress.done} of {progress.total}"]
    parts += [f"{name.replace('_', ' ')} {value:.4g}" for name, value in progress.values.items()]
    if progress.seconds_left is not None and progress.done < progress.total:
        parts.append(f"{duration(progress.seconds_left)} left")
    return " · ".join(parts)


def run(command: Callable[[], Any]) -> int:
    """Run a command line and return its exit code; a user's mistake is one sentence, never a traceback."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may lack a letter of somebody's name
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("legr").setLevel(logging.INFO)
    try:
        code = command()
    except LegrError as error:
        say(brief(str(error)))
        return 2
    except typer.TyperException as error:
        say(brief(error.format_message().replace("Value error, ", "", 1)))  # of the library that reads values
        return 2
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BrokenPipeError:  # whoever read our output has gone
        return 0
    except OSError as error:
        say(brief(in_words(error)))
        return 2
    if code == 130:  # Typer turns an interrupt into this code by itself
        say("interrupted; repeat the command to go on")
    return code if isinstance(code, int) else 0


class _Lines(logging.Formatter):
    """Shows what libraries and the engine log, one line each."""

    def format(self, record: logging.LogRecord) -> str:
        return in_terminal(super().format(record))
