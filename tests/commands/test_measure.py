"""Measuring the frontier: once a machine, and again where it is asked for."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnxruntime
import pytest
import torch
from torch import nn

from legr.commands import measure as measuring
from legr.commands import timing
from legr.commands.measure import is_measured, measure
from legr.commands.original import original
from legr.errors import BudgetError, ExportError
from legr.progress import silent
from legr.ranking.constraints import Constraints
from legr.requests.measure import MeasureRequest
from legr.structure.types import Keep
from legr.study.latency import Latency
from legr.study.records import FineTuning
from legr.study.store import Study, keep_id
from legr.training.evaluate import Evaluation
from legr.training.settings import TrainSettings
from tests.cli.processes import called, learn

CPU, ODD = torch.device("cpu"), 0.37
ONE = MeasureRequest((ODD,), runtime="pytorch")


@pytest.fixture
def study(study_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr(measuring, "BUDGETS", (0.6,))
    monkeypatch.setattr(timing, "_TURNS", 1)
    monkeypatch.setattr(timing, "_FURTHER_TURNS", 0)
    monkeypatch.setattr(measuring, "evaluate_split", lambda *args, **more: Evaluation(0.1, 2.3, 10))
    monkeypatch.setattr(timing, "_SECONDS_A_TURN", 0.0)
    return Study.open(study_path)


@pytest.mark.slow
def test_a_network_that_several_budgets_lead_to_is_measured_once(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    study.save_constraints(Constraints(multiple=8))
    curves = [study.curve(name) for name in ("identity", "uniform")]
    within = [[b for b in (0.97, 0.96, 0.95, 0.6) if b >= curve.floor] for curve in curves]
    monkeypatch.setattr(measuring, "BUDGETS", (0.97, 0.96, 0.95, 0.6))
    networks = [{curve.step(macs=b) for b in budgets} for curve, budgets in zip(curves, within, strict=True)]
    assert sum(map(len, networks)) < sum(map(len, within))  # else nothing is tested
    found = measure(study, MeasureRequest(runtime="pytorch"), CPU, silent)
    assert found.measured == 1 + sum(map(len, networks))  # and the original
    assert is_measured(study, MeasureRequest(runtime="pytorch"), CPU)
    named = [(point.ranking, point.keep_id) for point in found.points]
    assert len(set(named)) == len(named) and max(p.budget for p in found.points if p.ranking == "uniform") == 0.97


@pytest.mark.slow
def test_what_another_machine_measured_is_measured_here_and_both_are_kept(study: Study) -> None:
    assert measure(study, ONE, CPU, silent).measured == 3  # the original, identity, uniform
    assert is_measured(study, ONE, CPU)
    here = machines(study)
    assert len(here) == 3 and len(set(here)) == 1 and here[0]

    relabel(study, machine="There")
    assert not is_measured(study, ONE, CPU)
    found = measure(study, MeasureRequest(runtime="pytorch"), CPU, silent)
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
        assert measure(study, MeasureRequest((ODD,), batch, threads, "pytorch"), CPU, silent).measured == 3
    for threads, batch in ((1, 1), (2, 1), (1, 2)):
        assert is_measured(study, MeasureRequest((ODD,), batch, threads, "pytorch"), CPU)


@pytest.mark.slow
def test_onnx_runtime_times_and_pytorch_where_it_is_asked_for(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Keep] = []
    made: list[dict[str, int]] = []

    def sessions(*_: object, **more: int) -> SimpleNamespace:
        made.append(more)
        return SimpleNamespace(of=asked.append)

    monkeypatch.setattr(timing, "template_or_none", lambda *_: None)
    monkeypatch.setattr(timing, "Sessions", sessions)
    monkeypatch.setattr(timing, "time_session", lambda *_, **__: [0.25, 0.125, 0.5])
    default = MeasureRequest((ODD,))
    assert measure(study, ONE, CPU, silent).measured == 3
    assert is_measured(study, ONE, CPU) and not is_measured(study, default, CPU) and not made
    assert measure(study, default, CPU, silent).measured == 3
    assert is_measured(study, default, CPU) and made == [{"threads": 1, "batch": 1}]
    found = {p.latency.conditions for p in study.points if p.latency}
    assert {(c.runtime.split()[0], c.threads, c.batch, c.device) for c in found} == {
        ("PyTorch", 1, 1, "cpu"),
        ("ONNX", 1, 1, "cpu"),
    }
    taken = [p.latency for p in study.points if p.latency and p.latency.runtime.startswith("ONNX")]
    assert [latency.milliseconds for latency in taken] == [250.0] * 3
    assert f"ONNX Runtime {onnxruntime.__version__}" in {latency.runtime for latency in taken}
    assert asked[0].units.all() and asked[1].units.all() and not asked[2].units.all()  # the original comes first
    commands = [point.provenance.command for point in study.points if point.provenance]
    assert sum("--runtime onnxruntime" in command for command in commands) == 3


@pytest.mark.slow
def test_what_onnx_runtime_cannot_run_is_said_before_anything_is_done(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ExportError("this network cannot be written as ONNX: no such operation")

    monkeypatch.setattr(timing, "template_or_none", refuse)
    monkeypatch.setattr(measuring, "images_of", None)
    with pytest.raises(ExportError, match=r"^this network .* no such operation; time it in PyTorch, with --runtime"):
        measure(study, MeasureRequest((ODD,)), CPU, silent)
    assert not study.points
    monkeypatch.setattr(timing, "time_forward", lambda *_, **__: [0.25, 0.125, 0.5])
    latency = timing.time_network(study, original(study), study.curve("identity").at(macs=ODD), CPU)
    assert (latency.runtime.split()[0], latency.milliseconds) == ("PyTorch", 250.0)  # a run does not end for that


@pytest.mark.slow
def test_a_search_that_measures_goes_on_in_pytorch(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def measured(_: Study, request: MeasureRequest, *__: object) -> None:
        asked.append(request.runtime)
        if request.runtime == "onnxruntime":
            raise ExportError("it has no such operation; time it in PyTorch, with --runtime pytorch")

    monkeypatch.setattr(measuring, "measure", measured)
    found, said = called(*learn(study.path, "--candidates", 1, "--measure"))
    assert asked == ["onnxruntime", "pytorch"] and found["candidates"] == 1
    assert "no such operation; time it in PyTorch, with --runtime pytorch, as is done now" in said


@pytest.mark.slow
def test_networks_that_were_trained_are_timed_with_the_others(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def calm(*args: Any) -> dict[Any, Latency]:
        return {key: replace(x, contended=False, unsteady=False) for key, x in timing.in_turns(*args).items()}

    monkeypatch.setattr(measuring, "in_turns", calm)
    keep, gone = study.curve("uniform").at(macs=0.45), study.curve("identity").at(macs=0.3)
    trained = FineTuning.of("k", TrainSettings(), 1)
    macs = float(study.curve("uniform").macs[study.curve("uniform").step(macs=0.45)])
    share = macs / float(study.curve("uniform").macs[0])
    measure(study, MeasureRequest((0.6,), runtime="pytorch"), CPU, silent)
    point = replace(study.points[-1], ranking="uniform", budget=share, keep_id=keep_id(keep), finetuned=trained)
    hindered = point.latency and replace(point.latency, contended=True, milliseconds=1e6)
    study.add_point(replace(point, latency=hindered))
    study.add_point(replace(point, keep_id=keep_id(gone), budget=0.2))  # of a ranking that was another then
    assert measure(study, MeasureRequest(runtime="pytorch"), CPU, silent).measured == 1
    assert [(p.keep_id, p.budget) for p in study.points if not p.finetuned][-1] == (keep_id(keep), share)
    own = [point for point in study.points if point.keep_id == keep_id(keep)]
    cut, again = sorted(own, key=lambda point: bool(point.finetuned))
    assert cut.latency == again.latency != hindered  # one kept set, one latency; weights do not change it


@pytest.mark.slow
def test_again_takes_what_was_hindered_and_nothing_else(study: Study) -> None:
    measure(study, ONE, CPU, silent)
    relabel(study, contended=False, unsteady=True)
    assert is_measured(study, ONE, CPU) and not is_measured(study, replace(ONE, again=True), CPU)
    relabel(study, contended=False, unsteady=False)
    assert is_measured(study, replace(ONE, again=True), CPU)
    relabel(study, contended=True, milliseconds=1e6)
    assert is_measured(study, ONE, CPU) and not is_measured(study, replace(ONE, again=True), CPU)
    assert measure(study, replace(ONE, again=True), CPU, silent).measured == 3
    assert len(study.points) == 3  # in their place
    assert all(point.latency and point.latency.milliseconds < 1e6 for point in study.points)


def test_a_mistake_is_found_before_anything_begins(study: Study) -> None:
    with pytest.raises(BudgetError, match="smallest"):
        is_measured(study, MeasureRequest((0.001,), again=True), CPU)


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
