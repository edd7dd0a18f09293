"""Whether other programs were at work while something was timed."""

import os
import subprocess
import sys
import time

import pytest

from legr.deploy.neighbours import Neighbours


def test_work_of_another_process_counts_and_own_work_does_not() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.2)
        with Neighbours() as found:
            time.sleep(1.0)
    finally:
        busy.kill()
        busy.wait()
    assert 0.2 < found.cores <= (os.cpu_count() or 1) + 0.1

    with Neighbours() as alone:
        start = time.process_time()
        while time.process_time() - start < 0.5:
            pass
    # On one core, and whatever others did on the rest.
    assert alone.cores <= (os.cpu_count() or 1) - 1 + 0.6


@pytest.mark.parametrize(
    ("taken", "threads", "hindered"),
    [(0.0, 1, False), (0.0, 4, False), (0.2, 4, False), (1.0, 3, False), (1.0, 4, True), (4.0, 1, True)],
)
def test_they_hinder_when_they_leave_fewer_cores_than_threads(
    monkeypatch: pytest.MonkeyPatch, taken: float, threads: int, hindered: bool
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    neighbours = Neighbours()
    neighbours.cores = taken
    assert neighbours.hinder(threads) == hindered
