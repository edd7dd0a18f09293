"""Commands as processes: run them, kill them, wait for them; what is refused at once needs none.

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
from contextlib import redirect_stderr
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
    assert "Traceback" not in done.stderr
    return (json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout), done.stderr


def refused(*arguments: object) -> str:
    """What a command says that ends with exit code 2. It runs in this process: one of its own loads torch first."""
    stderr, level = io.StringIO(), logging.getLogger("legr").level
    try:
        with redirect_stderr(stderr):
            code = terminal.run(lambda: cli([*map(str, arguments)], standalone_mode=False, prog_name="python -m legr"))
    finally:
        logging.getLogger("legr").setLevel(level)
    said = stderr.getvalue()
    assert code == 2, said
    assert "Traceback" not in said
    return said


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
