"""The tables behind the charts, checked against the engine's counts; the figures only draw them."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.curves import measurements
from legr.charts.frontier import AXES, Axis, axis_title, frontier_points, frontier_table
from legr.charts.frontier_figure import frontier_figure
from legr.charts.frontier_lines import frontier_lines, ranges
from legr.charts.measurements import Measurements
from legr.charts.search import log_ticks, map_table, running_search_table
from legr.charts.style import COLOURS
from legr.charts.training import training_figure, training_table
from legr.files import write_json
from legr.progress import duration
from legr.ranking.constraints import Constraints
from legr.study.store import Study, keep_id
from tests.app.demo_study import BUDGETS


@pytest.fixture
def study(studies: Path) -> Study:
    return Study.open(studies / "demo")


@pytest.mark.parametrize("axis", AXES)
def test_the_frontier_has_every_measured_point(study: Study, axis: Axis) -> None:
    measured = Measurements(study.points)
    info = frontier_table(measured, axis)
    n = len(BUDGETS)
    assert info["series"].value_counts().to_dict() == {
        "learned": n, "identity": n, "uniform": n, "finetuned": 1, "original": 1,
    }  # fmt: skip
    line = info[info["series"] == "learned"]
    assert line["x"].is_monotonic_increasing and line["top1_percent"].is_monotonic_increasing
    assert "3 epochs, taught by the original, seed 0" in info[info["series"] == "finetuned"]["hover"].iloc[0]


def test_a_fine_tuned_point_without_latency_takes_that_of_its_structure(study: Study) -> None:
    points = [replace(p, latency=None) if p.finetuned else p for p in study.points]
    info = frontier_table(Measurements(points), "latency").set_index("series")
    same = next(p for p in points if p.ranking == "learned" and p.budget == 0.5 and not p.finetuned)
    assert same.latency is not None
    assert info.loc["finetuned", "x"] == pytest.approx(same.latency.milliseconds)


def test_fine_tuned_networks_of_other_rankings_are_told_apart(study: Study) -> None:
    points = study.points
    tuned = next(p for p in points if p.finetuned)
    points += [replace(tuned, ranking=name, top1=0.5) for name in ("uniform", "identity")]
    marks = {trace.name: trace for trace in frontier_figure(Measurements(points), "macs", "learned").data}
    assert marks["Learned, trained"].y == (100 * tuned.top1,)
    for name in ("Uniform", "Identity"):
        mark = marks[f"{name}, trained"]
        assert mark.y == (50.0,) and mark.marker.color == marks[f"{name}, as cut"].line.color
        assert mark.marker.symbol != marks["Learned, trained"].marker.symbol
        assert f"<b>{name}, trained, " in mark.hovertext[0]


def test_the_frontier_says_how_latency_was_taken_and_where_a_click_leads(study: Study) -> None:
    measured = Measurements(study.points)
    assert axis_title("latency", measured.conditions) == "latency, ms (PyTorch 2.14.1, cpu, 2 threads, batch 1)"
    points, curve = frontier_points(measured), study.curve("identity")
    (line,) = (line for line in frontier_lines(points) if line.name == "Identity, as cut")
    places = points.loc[line.rows]
    assert [curve.macs[curve.step(macs=percent / 100)] for percent in places["percent"]] == [
        point.macs for point in measured.line("identity")
    ]
    assert set(places["opens"]) == {"identity", "original"}


def test_lines_follow_the_macs_also_where_latency_does_not(study: Study) -> None:
    points = list(study.points)
    small = next(place for place, p in enumerate(points) if p.ranking == "uniform")
    assert points[small].latency is not None
    points[small] = replace(points[small], latency=replace(points[small].latency, milliseconds=99.0))
    figure = frontier_figure(Measurements(points), "latency", "uniform")
    (line,) = (trace for trace in figure.data if trace.name == "Uniform, as cut")
    assert line.x[-2] == 99.0 and list(line.y) == sorted(line.y)  # before the original; accuracy rises with the MACs


def test_the_map_has_a_row_a_layer(study: Study) -> None:
    learned = study.learned
    assert learned is not None
    info = map_table(learned)
    assert info["layer"].tolist() == [layer.name for layer in study.structure.layers]
    assert (info["alpha"] > 0).all()


def test_histories_of_jobs() -> None:
    rows = [{"done": 18, "best_loss": 0.5, "identity_loss": 0.9}, {"done": 19, "best_loss": 0.4, "identity_loss": 0.9}]
    assert running_search_table([{"done": 0}, *rows])["passes"].tolist() == [18, 19]
    info = training_table([{"done": 1, "loss": 2.0, "heldout_top1": 0.5}, {"done": 2, "loss": 1.0}])
    assert info["heldout_percent"].tolist()[0] == 50.0
    assert training_table([]).empty
    training_figure(training_table([]), 3)


def test_log_ticks_are_round() -> None:
    assert log_ticks([0.3, 4.0]) == [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
    assert log_ticks([0.8, 1.3]) == pytest.approx([0.8, 0.9, 1.0, 1.1, 1.2, 1.3])  # 1, 2, 5 would leave one of these
    assert log_ticks([0.56, 1.56]) == pytest.approx([0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6])
    assert 1.0 in log_ticks([1.0, 1.0]) and all(tick > 0 for tick in log_ticks([1.0, 1.0]))
    assert log_ticks([0.001, 50.0]) == pytest.approx([0.001, 0.01, 0.1, 1, 10, 100])


def test_times_in_words() -> None:
    assert [duration(s) for s in (40, 130, 7300)] == ["40 s", "2 min", "2.0 h"]


def relearn(study: Study) -> Study:
    """Learn a ranking under which other filters go first."""
    learned = study.learned
    assert learned is not None
    study.save_learned(replace(learned, alpha=learned.alpha[::-1], kappa=learned.kappa[::-1]))
    return Study.open(study.path)


def test_after_learning_again_a_fine_tuned_network_keeps_its_own_latency(study: Study) -> None:
    """The network of the new ranking at the same MACs has another, which must not be given to it."""
    (run,), learned = study.finetuned, study.points
    own = next(p for p in learned if p.ranking == "learned" and p.budget == 0.5 and not p.finetuned)
    assert own.latency is not None
    study = relearn(study)
    other = replace(own, ranking_id=study.ranking_id("learned"), latency=replace(own.latency, milliseconds=99.0))
    study.add_point(replace(other, keep_id=keep_id(study.curve("learned").at(macs=0.5))))
    info = frontier_table(measurements(study), "latency").set_index("series")
    assert info.loc["earlier", "x"] == own.latency.milliseconds
    assert info.loc["earlier", "run"] == run.key and info.loc["earlier", "opens"] == ""  # a click opens the run
    assert "finetuned" not in info.index
    hover = info.loc["earlier", "hover"]
    assert (
        "Of an earlier ranking, trained" in hover
        and "of the learned ranking before it or the constraints changed" in hover
    )


def test_without_its_own_latency_it_has_no_place_on_the_axis(study: Study) -> None:
    study.save_points([replace(p, latency=None) if p.finetuned or p.budget == 0.5 else p for p in study.points])
    study = relearn(study)
    measured = measurements(study)
    assert "earlier" not in set(frontier_table(measured, "latency")["series"])
    assert "earlier" in set(frontier_table(measured, "macs")["series"])


def test_networks_of_an_earlier_ranking_are_hollow_and_grey(study: Study) -> None:
    measured = measurements(relearn(study))
    marks = {trace.name: trace.marker for trace in frontier_figure(measured, "macs", "learned").data}
    mark = marks["Of an earlier ranking"]
    assert mark.symbol == "diamond-open" and mark.color == COLOURS["earlier"] and "Learned, trained" not in marks


def test_a_run_whose_kept_set_is_lost_says_that_it_cannot_be_opened(study: Study) -> None:
    """Learned again by an earlier version, which stored no kept set."""
    (run,), learned = study.finetuned, study.learned
    assert learned is not None
    again = replace(learned, alpha=learned.alpha[::-1], kappa=learned.kappa[::-1])
    write_json(study.path / "ranking.json", {"format": 1, **again.to_dict()})
    study.save_finetuned(replace(run, kept=""))
    info = frontier_table(measurements(Study.open(study.path)), "macs").set_index("series")
    assert info.loc["earlier", "run"] == "" and "cannot be opened" in info.loc["earlier", "hover"]


def test_pins_leave_the_plain_lines_faint_and_the_whole_range_as_it_was(study: Study) -> None:
    before = ranges(frontier_points(measurements(study)), "learned", whole=True)
    study.save_constraints(Constraints(pins={"layer1.0.conv1": 5}))
    points = frontier_points(measurements(Study.open(study.path)))
    assert ranges(points, "learned", whole=True) == before
    lines = {line.name: line for line in frontier_lines(points)}
    plain = lines["Learned, without constraints"]
    assert plain.look["line"]["width"] == 1 and len(plain.rows) == len(BUDGETS)
    assert set(points.loc[plain.rows, "opens"]) == {""}  # today's ranking leads to other networks
