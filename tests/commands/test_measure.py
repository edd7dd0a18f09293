"""Measuring the frontier: once a machine, and again where it is asked for."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import onnxruntime
import pytest
import torch
from torch import nn

from legr.commands import measure as measuring
from legr.commands import timing
from legr.commands.measure import is_measured, measure
from legr.errors import BudgetError
from legr.progress import silent
from legr.ranking.constraints import Constraints
from legr.requests.types import MeasureRequest
from legr.structure.types import Keep
from legr.study.store import Study
from legr.training.evaluate import Evaluation

CPU, ODD = torch.device("cpu"), 0.37
ONE = MeasureRequest((ODD,), threads=1)


@pytest.fixture
def study(study_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr(measuring, "BUDGETS", (0.6,))
    monkeypatch.setattr(timing, "_TURNS", 1)
    monkeypatch.setattr(timing, "_SECONDS_A_TURN", 0.0)
    return Study.open(study_path)


@pytest.mark.slow
def test_what_another_machine_measured_is_measured_here_and_both_are_kept(study: Study) -> None:
    assert measure(study, ONE, CPU, silent).measured == 3  # the original, identity, uniform
    assert is_measured(study, ONE, CPU)
    here = machines(study)
    assert len(here) == 3 and len(set(here)) == 1 and here[0]

    relabel(study, machine="There")
    assert not is_measured(study, ONE, CPU)
    found = measure(study, MeasureRequest(threads=1), CPU, silent)
    assert (found.measured, found.skipped) == (5, 0)  # at 60 % and, as there, at 37 %
    assert sorted(machines(study)) == sorted([here[0]] * 5 + ["There"] * 3)

    relabel(study, machine="There", only=here[0])
    assert measure(study, ONE, CPU, silent).measured == 3
    relabel(study, machine="A third", only="There")
    assert is_measured(study, ONE, CPU)  # points of others came later, and change nothing


@pytest.mark.slow
@pytest.mark.thorough
def test_other_conditions_are_measured_beside(study: Study) -> None:
    for threads, batch in ((1, 1), (2, 1), (1, 2)):
        assert measure(study, MeasureRequest((ODD,), batch, threads), CPU, silent).measured == 3
    for threads, batch in ((1, 1), (2, 1), (1, 2)):
        assert is_measured(study, MeasureRequest((ODD,), batch, threads), CPU)


@pytest.mark.slow
def test_another_runtime_is_measured_beside_and_its_name_is_kept(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Keep] = []
    monkeypatch.setattr(timing, "Sessions", lambda *_, **__: SimpleNamespace(of=asked.append))
    monkeypatch.setattr(timing, "time_session", lambda *_, **__: [0.25, 0.125, 0.5])
    exported = replace(ONE, runtime="onnxruntime")
    assert measure(study, ONE, CPU, silent).measured == 3
    assert is_measured(study, ONE, CPU) and not is_measured(study, exported, CPU)
    assert measure(study, exported, CPU, silent).measured == 3
    assert is_measured(study, exported, CPU)
    found = {p.latency.runtime: p.latency.milliseconds for p in study.points if p.latency}
    assert found[f"ONNX Runtime {onnxruntime.__version__}"] == 250.0 and len(found) == 2
    assert asked[0].units.all() and not asked[1].units.all()  # the original comes first
    made = [point.provenance.command for point in study.points if point.provenance]
    assert sum("onnxruntime" in command for command in made) == 3


@pytest.mark.slow
def test_again_takes_what_was_hindered_and_nothing_else(study: Study) -> None:
    measure(study, ONE, CPU, silent)
    relabel(study, contended=False)
    assert is_measured(study, replace(ONE, again=True), CPU)
    relabel(study, contended=True, milliseconds=1e6)
    assert is_measured(study, ONE, CPU) and not is_measured(study, replace(ONE, again=True), CPU)
    assert measure(study, replace(ONE, again=True), CPU, silent).measured == 3
    assert len(study.points) == 3  # in their place
    assert all(point.latency and point.latency.milliseconds < 1e6 for point in study.points)


def test_a_mistake_is_found_before_anything_begins(study: Study) -> None:
    with pytest.raises(BudgetError, match="smallest"):
        is_measured(study, MeasureRequest((0.001,), threads=1, again=True), CPU)


def machines(study: Study) -> list[str]:
    return [point.latency.machine for point in study.points if point.latency]


def relabel(study: Study, only: str | None = None, **facts: object) -> None:
    """Say other things of where latencies were taken."""
    points = [
        replace(p, latency=replace(p.latency, **facts)) if p.latency and only in (None, p.latency.machine) else p
        for p in study.points
    ]
    study.save_points(points)


@pytest.mark.slow
def test_a_shape_that_changes_meanwhile_mixes_no_two_networks(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: dict[int, float] = {}

    def time_forward(network: nn.Module, *args: object, **more: object) -> list[float]:
        timed[sum(p.numel() for p in network.parameters())] = 1.0
        study.save_constraints(Constraints(pins={study.structure.layers[0].name: 3}))
        return [1.0]

    monkeypatch.setattr(timing, "time_forward", time_forward)
    measure(study, ONE, CPU, silent)
    assert {point.params for point in study.all_points} == set(timed)
    assert [point.ranking for point in study.points] == ["original"]  # those of the shape before are not shown
    assert not is_measured(study, ONE, CPU)


@pytest.mark.slow
def test_an_answer_that_is_no_number_stops_no_measurement(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "evaluate_split", lambda *args, **more: Evaluation(0.1, math.nan, 10))
    assert measure(study, ONE, CPU, silent).measured == 3
    assert {(point.top1, point.loss) for point in study.points} == {(0.1, None)}
