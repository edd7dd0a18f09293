"""Measuring the frontier: once a machine, and again where it is asked for."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from legr.commands import measure as measuring
from legr.commands.measure import is_measured, measure
from legr.progress import silent
from legr.study.store import Study

CPU, ODD = torch.device("cpu"), 0.37


@pytest.fixture
def study(study_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr(measuring, "BUDGETS", (0.6,))
    return Study.open(study_path)


def test_what_another_machine_measured_is_measured_here_and_kept(study: Study) -> None:
    assert measure(study, [ODD], 1, 1, CPU, silent)["measured"] == 3  # the original, identity, uniform
    assert is_measured(study, [ODD], 1, 1, CPU)
    here = [point.latency.machine for point in study.points if point.latency]
    assert len(here) == 3 and len(set(here)) == 1 and here[0]

    study.save_points([replace(p, latency=p.latency and replace(p.latency, machine="There")) for p in study.points])
    assert not is_measured(study, [ODD], 1, 1, CPU)
    found = measure(study, None, 1, 1, CPU, silent)
    assert (found["measured"], found["skipped"]) == (5, 0)  # at 60 % and, as there, at 37 %
    assert (
        sorted(point.latency.machine == "There" for point in study.points if point.latency) == [False] * 5 + [True] * 3
    )


def test_again_replaces_what_is_there(study: Study) -> None:
    measure(study, [ODD], 1, 1, CPU, silent)
    hindered = [replace(p, latency=p.latency and replace(p.latency, milliseconds=1e6)) for p in study.points]
    study.save_points(hindered)
    assert measure(study, None, 1, 1, CPU, silent)["measured"] == 2  # only what is not there
    assert measure(study, None, 1, 1, CPU, silent, again=True)["measured"] == 5
    assert len(study.points) == 5
    assert all(point.latency and point.latency.milliseconds < 1e6 for point in study.points)
