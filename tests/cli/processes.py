"""Commands as processes: run them, kill them, wait for them; or in this one, where no process is what is tested.

It does not know what is tested.
"""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
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
    """Run a command; return its JSON (if any) and what it said on stderr."""
    done = subprocess.run([*COMMAND, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return answer_of(done.stdout, done.stderr)


def called(*arguments: object, code: int = 0) -> tuple[Any, str]:
    """What `run` returns, of a command that runs in this process: one of its own loads torch first."""
    stdout, stderr, level = io.StringIO(), io.StringIO(), logging.getLogger("legr").level
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            ended = terminal.run(lambda: cli([*map(str, arguments)], standalone_mode=False, prog_name="python -m legr"))
    finally:
        logging.getLogger("legr").setLevel(level)
    assert ended == code, stderr.getvalue()
    return answer_of(stdout.getvalue(), stderr.getvalue())


def refused(*arguments: object) -> str:
    """What a command says that ends with exit code 2."""
    return called(*arguments, code=2)[1]


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


def learn(study: Path, *more: object) -> tuple[str, ...]:
    return (
        "learn",
        "--study",
        str(study),
        "--images",
        "64",
        "--method",
        "evolution",
        "--budget",
        "0.4",
        *map(str, more),
        "--json",
    )


def copy_of(study: Path, path: Path) -> Path:
    path.mkdir()
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
