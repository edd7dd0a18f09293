"""Run commands: as processes of their own, to kill them or to see what they print; else in the tests' own process.

A process of its own loads torch first, which takes seconds: it is for tests of what only a process shows.
"""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from legr.cli import cli, terminal
from legr.study.store import Study

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "legr"]

# Started in the background of a shell, the tests would ignore SIGINT, and so would every command they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def run(*arguments: object, code: int = 0) -> tuple[Any, str]:
    """Run a command as a process; return its JSON (else its text) and its stderr."""
    done = subprocess.run([*COMMAND, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return answer_of(done.stdout, done.stderr)


def called(*arguments: object, code: int = 0, stderr: io.StringIO | None = None) -> tuple[Any, str]:
    """Run a command in this process; return its JSON (else its text) and its stderr."""
    ended, out, err = in_process(arguments, stderr or io.StringIO())
    assert ended == code, err
    return answer_of(out, err)


def in_process(arguments: Sequence[object], stderr: io.StringIO) -> tuple[int, str, str]:
    """Run a command in this process; return its exit code, its stdout and its stderr."""
    stdout, logger, log = io.StringIO(), logging.getLogger("legr"), logging.StreamHandler(stderr)
    level = logger.level
    logger.addHandler(log)  # pytest has handlers of its own, so that a command adds none
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            code = terminal.run(lambda: cli([*map(str, arguments)], standalone_mode=False, prog_name="python -m legr"))
    finally:
        logger.removeHandler(log)
        logger.setLevel(level)
    return code, stdout.getvalue(), stderr.getvalue()


def refused(*arguments: object) -> str:
    """Run a command that must end with exit code 2; return its stderr."""
    return called(*arguments, code=2)[1]


def interrupted(pattern: str, *arguments: object) -> str:
    """Run a command in this process and interrupt it once a line of its stderr holds `pattern`; return its stderr."""

    class Stop(io.StringIO):
        def write(self, text: str) -> int:
            written = super().write(text)
            if pattern in text:
                raise KeyboardInterrupt
            return written

    return called(*arguments, code=130, stderr=Stop())[1]


def kill_when(pattern: str, *arguments: object, sig: int = signal.SIGKILL) -> tuple[int, str]:
    """Start a command and kill it once a line of its stderr holds `pattern`."""
    process = subprocess.Popen([*COMMAND, *map(str, arguments)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if pattern in line:
            os.kill(process.pid, sig)
            break
    said += process.stderr.read()
    return process.wait(), said


def answer_of(stdout: str, stderr: str) -> tuple[Any, str]:
    """What a command has answered on stdout, as JSON where it is that, and what it said on stderr."""
    assert "Traceback" not in stderr
    return (json.loads(stdout) if stdout.startswith("{") else stdout), stderr


def learn(study: Path, *more: object) -> tuple[object, ...]:
    """A short search on few images."""
    return ("learn", "--study", study, "--images", 64, "--method", "evolution", "--budget", 0.4, *more, "--json")


def copy_of(study: Path, path: Path) -> Path:
    path.mkdir(parents=True)
    for file in study.iterdir():
        if file.is_file():
            (path / file.name).write_bytes(file.read_bytes())
    return path


def wait_for(study: Study, job_id: str, when: Any) -> Any:
    from legr.jobs import records

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = records.load(study, job_id)
        if when(job):
            return job
        time.sleep(0.1)
    raise AssertionError(f"the job did not get there: {records.load(study, job_id)}")
