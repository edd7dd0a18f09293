"""The tables behind the charts, checked against the engine's counts; the figures only draw them."""

from dataclasses import replace
from pathlib import Path

import pytest

from app import widgets
from app.charts import (
    layers_figure,
    layers_info,
    log_ticks,
    map_info,
    search_info_of_history,
    training_figure,
    training_info,
)
from app.frontier import AXES, Axis, Here, axis_title, frontier_figure, frontier_info
from app.measured import Measurements
from legr.progress import duration
from legr.structure.cost import cost
from legr.study.store import Study
from tests.app.demo_study import BUDGETS


@pytest.fixture
def study(studies: Path) -> Study:
    return Study.open(studies / "demo")


@pytest.mark.parametrize("budget", [1.0, 0.5, 0.1])
def test_bars_are_what_the_plan_keeps(study: Study, budget: float) -> None:
    curve = study.curve()
    step = curve.step(macs=budget)
    keep = curve.keep(step)
    info = layers_info(curve.structure, keep)
    assert info["kept"].tolist() == curve.kept[:, step].tolist()
    assert (info["kept"] + info["removed"] == info["total"]).all()
    head = 10 * info["kept"].iloc[-1]  # ten classes; the classifier is no bar
    assert info["macs"].sum() + head == cost(curve.structure, keep).macs
    assert info["macs_share"].sum() == pytest.approx(info["macs"].sum() / cost(curve.structure, keep).macs)


def test_the_axis_of_the_bars_stands_still(study: Study) -> None:
    curve = study.curve()
    ranges = {
        tuple(layers_figure(layers_info(curve.structure, curve.at(macs=b)), "red").layout.yaxis.range)
        for b in (1.0, 0.4, 0.1)
    }
    assert len(ranges) == 1


@pytest.mark.parametrize("axis", AXES)
def test_the_frontier_has_every_measured_point(study: Study, axis: Axis) -> None:
    measured = Measurements(study.points)
    info = frontier_info(measured, axis)
    n = len(BUDGETS) + 1
    assert info["series"].value_counts().to_dict() == {
        "learned": n, "identity": n, "uniform": n, "finetuned": 1, "original": 1,
    }  # fmt: skip
    line = info[info["series"] == "learned"]
    assert line["x"].is_monotonic_increasing and line["top1_percent"].is_monotonic_increasing
    assert "epochs: 3, distill: yes, seed: 0" in info[info["series"] == "finetuned"]["hover"].iloc[0]


def test_a_fine_tuned_point_without_latency_takes_that_of_its_structure(study: Study) -> None:
    points = [replace(p, latency=None) if p.finetuned else p for p in study.points]
    info = frontier_info(Measurements(points), "latency").set_index("series")
    same = next(p for p in points if p.ranking == "learned" and p.budget == 0.5 and not p.finetuned)
    assert same.latency is not None
    assert info.loc["finetuned", "x"] == pytest.approx(same.latency.milliseconds)


def test_the_marker_moves_and_the_axes_do_not(study: Study) -> None:
    measured = Measurements(study.points)
    info = frontier_info(measured, "latency")
    figures = [
        frontier_figure(info, "latency", measured.conditions, Here("learned", 1, 1, ms, 0.8)) for ms in (1.0, 3.0)
    ]
    assert figures[0].layout.xaxis.range == figures[1].layout.xaxis.range
    marks = [next(t for t in figure.data if t.name == "This budget").x[0] for figure in figures]
    assert marks == [1.0, 3.0]
    unknown = frontier_figure(info, "latency", measured.conditions, Here("learned", 1, 1, None, None))
    assert "This budget" not in [t.name for t in unknown.data]
    assert axis_title("latency", measured.conditions) == "latency, ms (PyTorch 2.14.1, cpu, 2 threads, batch 1)"


def test_the_map_has_a_row_a_layer(study: Study) -> None:
    learned = study.learned
    assert learned is not None
    info = map_info(learned)
    assert info["layer"].tolist() == [layer.name for layer in study.structure.layers]
    assert (info["alpha"] > 0).all()


def test_histories_of_jobs() -> None:
    rows = [{"done": 18, "best_loss": 0.5, "identity_loss": 0.9}, {"done": 19, "best_loss": 0.4, "identity_loss": 0.9}]
    assert search_info_of_history([{"done": 0}, *rows])["passes"].tolist() == [18, 19]
    info = training_info([{"done": 1, "loss": 2.0, "heldout_top1": 0.5}, {"done": 2, "loss": 1.0}])
    assert info["heldout_percent"].tolist()[0] == 50.0
    assert training_info([]).empty
    training_figure(training_info([]), 3)


def test_log_ticks_are_round() -> None:
    assert log_ticks([0.3, 4.0]) == [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
    assert log_ticks([0.001, 50.0]) == pytest.approx([0.001, 0.01, 0.1, 1, 10, 100])


def test_figures_in_words() -> None:
    assert [widgets.count(n) for n in (999, 1234, 855_770, 40_551_040, 125_490_000, 4_100_000_000)] == [
        "999", "1.23 k", "855.8 k", "40.55 M", "125.5 M", "4.10 G",
    ]  # fmt: skip
    assert widgets.change(47, 100) == "-53.0 %" and widgets.change(100, 100) is None
    assert widgets.points_lost(0.81, 0.9339) == "-12.4 points" and widgets.points_lost(0.9, 0.9) is None
    assert [widgets.milliseconds(v) for v in (0.1234, 2.4, 14.06, 140.3)] == ["0.123", "2.40", "14.1", "140"]
    assert [duration(s) for s in (40, 130, 7300)] == ["40 s", "2 min", "2.0 h"]
    assert [widgets.lowest_percent(f) for f in (0.0148, 0.015, 0.5, 0.999, 1.0)] == [1.5, 1.5, 50.0, 100.0, 100.0]
