"""Whether other programs were at work while something was timed."""

import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from legr.deploy import contention
from legr.deploy.contention import Contention


@pytest.mark.slow
def test_work_of_another_process_counts() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.2)
        with Contention() as found:
            time.sleep(1.0)
    finally:
        busy.kill()
        busy.wait()
    assert found.cores > 0.2


def test_own_work_idleness_guests_and_cores_of_others_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds on cores 1 and 3 of four: this process works for 9 of them, others for 6."""
    clock = iter((100.0, 110.0))
    own = iter((SimpleNamespace(user=1.0, system=1.0), SimpleNamespace(user=9.0, system=2.0)))

    def core(user: float, idle: float, steal: float = 0.0) -> SimpleNamespace:
        seconds = {"user": user, "idle": idle, "iowait": 7.0, "steal": steal, "guest": user}
        return SimpleNamespace(_asdict=lambda: seconds)

    foreign = core(0.0, 0.0), core(99.0, 0.0)
    cores = iter(
        (
            [foreign[0], core(5.0, 50.0), foreign[0], core(5.0, 50.0)],
            [foreign[1], core(14.0, 51.0, 1.0), foreign[1], core(10.0, 55.0)],
        )
    )
    monkeypatch.setattr(contention, "_own_cores", lambda: [1, 3])
    monkeypatch.setattr(contention, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: next(cores))
    monkeypatch.setattr(psutil, "Process", lambda: SimpleNamespace(cpu_times=lambda: next(own)))
    with Contention() as found:
        pass
    assert found.cores == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("taken", "threads", "hindered"),
    [
        (0.0, 1, False),
        (0.0, 4, False),
        (0.2, 4, False),
        (1.0, 3, False),
        (1.0, 4, True),
        (4.0, 1, True),
        (0.0, 9, False),
        (1.0, 9, True),
    ],
)
def test_they_hinder_when_they_leave_fewer_cores_than_threads(
    monkeypatch: pytest.MonkeyPatch, taken: float, threads: int, hindered: bool
) -> None:
    monkeypatch.setattr(contention, "_own_cores", lambda: [0, 1, 2, 3])
    found = Contention()
    found.cores = taken
    assert found.slows(threads) == hindered
