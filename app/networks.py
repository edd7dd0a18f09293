"""The process that says what networks predict: one for all tabs, started when it is needed. No page loads torch.

It ends when it is asked nothing for a while, and with the server, however that ends: its stdin is closed then.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from threading import Event, Lock, Timer
from typing import IO, cast

from legr.commands.questions import Answer, Picture, Question
from legr.models.config_file import with_settings
from legr.paths import explorer_folder
from legr.schema import SchemaError, parse

_IDLE_S = 600.0
_LONGEST_ANSWER = 2**24  # bytes: two pictures of at most 640 x 640 pixels, and texts
_LONGEST_S = 900.0  # a first question may have to choose how batch norms are recalibrated
_PATIENCE_S = 10.0  # for a process that has answered its last question


class NetworkProcess:
    """A process that keeps networks loaded; it is started anew where it has ended.

    Args:
        idle_s: how long it stays when nobody asks.
        longest_s: how long one question may take; other tabs wait meanwhile.
    """

    def __init__(self, idle_s: float = _IDLE_S, longest_s: float = _LONGEST_S) -> None:
        self._idle_s, self._longest_s, self._numbers, self._lock = idle_s, longest_s, count(1), Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that is there now."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it where it is not there, so that the first question waits for less; a failure shows when one asks."""
        if self._lock.acquire(blocking=False):
            try:
                with suppress(OSError):
                    self._started()
            finally:
                self._lock.release()

    def ask(self, question: Question, show: Callable[[Picture], None] = lambda picture: None) -> Answer:
        """Wait for the answer: a result, or what is wrong in one sentence. Tabs wait for each other.

        Args:
            show: told of the image as soon as it was read, before the networks are run.
        """
        with self._lock:
            question = replace(question, number=next(self._numbers))
            for _ in range(2):  # one that has ended in order is replaced
                try:
                    process = self._started()
                except OSError as error:
                    why = f"cannot be started ({error.strerror}); free some memory and try again"
                    return _failure(question, why)
                answer = _answer(process, question, show, self._longest_s)
                if answer is not None:
                    return answer
                code = _ended(process)
                if code:
                    break
            how = f"by signal {-code}; is there too little memory?" if code < 0 else f"with exit {code}"
            return _failure(question, f"ended unexpectedly ({how}); ask again, and it starts anew")

    def _started(self) -> "subprocess.Popen[bytes]":
        """The process; raises OSError."""
        if self.pid is None or self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "legr.cli.answering", f"{self._idle_s:g}"],
                cwd=explorer_folder(),
                env=with_settings(os.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C in a terminal is the server's affair
            )
        return self._process


def _answer(
    process: "subprocess.Popen[bytes]", question: Question, show: Callable[[Picture], None], longest_s: float
) -> Answer | None:
    """What a process answers; None where it ends instead. It is read here alone, so no answer is taken by another."""
    questions, answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    try:
        questions.writelines([json.dumps(question.to_dict()).encode(), b"\n"])
        questions.flush()
    except OSError:
        return None
    with _killed_after(process, longest_s) as is_late:
        while line := answers.readline(_LONGEST_ANSWER):
            try:
                answer = parse(line, Answer)
            except SchemaError:
                process.kill()
                _ended(process)
                return _failure(question, "answered what no page understands; ask again, and it starts anew")
            if answer.number != question.number:
                continue  # to a question that somebody has stopped waiting for
            if answer.picture is None:
                return answer
            show(answer.picture)
    if is_late.is_set():
        _ended(process)
        return _failure(question, f"took more than {longest_s / 60:.0f} minutes and was stopped; ask again")
    return None


@contextmanager
def _killed_after(process: "subprocess.Popen[bytes]", seconds: float) -> Iterator[Event]:
    """Kill a process that is at work for longer; tells whether it was."""
    is_late = Event()

    def kill() -> None:
        is_late.set()
        process.kill()

    timer = Timer(seconds, kill)
    timer.daemon = True
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()


def _ended(process: "subprocess.Popen[bytes]") -> int:
    """The exit code of a process that answers no more."""
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # what could not be written before
            cast(IO[bytes], pipe).close()
    try:
        return process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _failure(question: Question, what: str) -> Answer:
    return Answer(question.number, sentence=f"the process that runs the networks {what}")


#: The one of this server.
NETWORKS = NetworkProcess()
