"""The frontier by hand: what its points tell, which part of it is shown, and which networks it is of."""

import math
from dataclasses import replace

import numpy as np
import pytest

from legr.charts.frontier import AXES, frontier_points, frontier_table, pareto
from legr.charts.frontier_figure import frontier_figure
from legr.charts.frontier_lines import Line, frontier_lines, label_row, networks_of, ranges
from legr.charts.measurements import Measurements, device_name
from legr.charts.style import COLOURS, REMOVED, SYMBOLS
from legr.study.latency import Conditions, Latency
from legr.study.records import RANKINGS, FineTuned, FineTuning, Point, RankingName
from legr.study.sized import SizedNetwork
from legr.study.supernets import SupernetPoint, SupernetRun
from legr.training.settings import TrainSettings

CPU = Latency(0.0, "PyTorch 2.14.1", "cpu", 1, 1, machine="AMD EPYC")
BACKGROUNDS = ("#ffffff", "#12161d")  # of the themes, .streamlit/config.toml


def point(ranking: str, macs: int, top1: float, ms: float | None, **facts: object) -> Point:
    """A point of a network with `macs` million of 100 million MACs."""
    latency = None if ms is None else replace(CPU, milliseconds=ms)
    made = Point(
        ranking, "", macs / 100, macs * 10**6, macs * 10**4, macs / 100, top1, 1.0, 1000, True, latency,
        keep_id=f"{ranking}-{macs}",
    )  # fmt: skip
    return replace(made, **facts)


def trained(ranking: str, macs: int, top1: float, key: str = "", **facts: object) -> Point:
    return point(ranking, macs, top1, None, finetuned=FineTuning.of(key, TrainSettings(), 3), **facts)


POINTS = [
    point("original", 100, 0.93, 7.0),
    point("learned", 80, 0.92, 7.5),
    point("learned", 40, 0.70, 5.0),
    point("learned", 20, 0.20, 4.0),
    point("uniform", 40, 0.30, 6.0),
    trained("learned", 40, 0.91),
    trained("learned", 20, 0.83),
    trained("uniform", 40, 0.60),
]


def test_every_point_has_all_its_costs_and_the_original_stands_once_at_the_end() -> None:
    points = frontier_points(Measurements(POINTS))
    assert points["series"].tolist() == ["learned"] * 3 + ["uniform"] + ["finetuned"] * 3 + ["original"]
    assert points[["macs", "params"]].iloc[0].tolist() == [20.0, 200.0]
    assert points["latency"].tolist() == [4.0, 5.0, 7.5, 6.0, 4.0, 5.0, 6.0, 7.0]  # trained: that of its kept set
    told = points["hover"].iloc[4].split("\n")
    assert told == [
        "Learned, trained, 20.0 % of the MACs",
        "top-1 83.00 % on 1,000 test images",
        "20.00 M MACs, 200.0 k parameters, 4 ms",
        "3 epochs, taught by the original, seed 0" if TrainSettings().distill else "3 epochs, seed 0",
    ]


def test_a_chart_opens_on_the_networks_that_one_would_take() -> None:
    """From the worst trained network of the ranking to the original; costs from the data, not from 0."""
    points = frontier_points(Measurements(POINTS))
    shown = ranges(points, "learned", whole=False)
    assert shown.y == pytest.approx((83 - 0.6, 93 + 1.0))  # 6 % of 10 points below, 10 % above
    assert shown.x["macs"] == pytest.approx((20 - 4.8, 100 + 4.8))
    assert shown.x["latency"] == pytest.approx((4 - 0.21, 7.5 + 0.21))
    errors = [10**end for end in shown.error]
    assert errors[0] > 17 > 7 > errors[1] and errors[0] / errors[1] == pytest.approx((17 / 7) ** 1.16)
    assert shown.ticks == [7, 8, 9, 10, 12, 15]
    whole = ranges(points, "learned", whole=True)
    assert whole.y[0] < 20 and whole.x["macs"] == shown.x["macs"]


def test_where_nothing_is_trained_the_upper_half_is_shown() -> None:
    untrained = Measurements([p for p in POINTS if not p.finetuned])
    shown = ranges(frontier_points(untrained), "learned", whole=False)
    assert shown.y[0] == pytest.approx((93 + 20) / 2 - 0.06 * (93 - 20) / 2)
    assert shown.x["macs"][0] == pytest.approx(40 - 0.06 * 60)
    no_error = ranges(frontier_points(Measurements([point("original", 100, 1.0, None)])), "learned", whole=False)
    assert all(map(math.isfinite, no_error.error)) and "latency" not in no_error.x


def test_a_ranking_without_points_shows_those_of_others() -> None:
    """After learning again: no point is of the ranking as it is today."""
    shown = ranges(frontier_points(Measurements(POINTS)), "identity", whole=False)
    assert shown.y[0] == pytest.approx(60 - 0.06 * 33) and shown.x["macs"][0] < 40


def test_a_ranking_has_a_line_of_trained_networks_and_one_as_cut() -> None:
    points = frontier_points(Measurements(POINTS))
    lines = {line.name: line for line in frontier_lines(points)}
    assert list(lines) == ["Uniform, as cut", "Uniform, trained", "Learned, as cut", "Learned, trained", "Original"]
    tuned, cut = lines["Learned, trained"], lines["Learned, as cut"]
    assert points.loc[tuned.rows, "top1_percent"].tolist() == [83.0, 91.0]
    assert points.loc[cut.rows, "macs"].tolist() == [20, 40, 80, 100]  # up to the original
    assert tuned.look["marker"]["symbol"] == "circle" and cut.look["marker"]["symbol"] == "circle-open"
    assert not any("opacity" in line.look for line in lines.values())


def test_the_line_goes_through_the_run_whose_weights_are_used() -> None:
    """The best on held-out images, not on test images; the other is a mark of its own."""

    def run(key: str, heldout: float, top1: float) -> FineTuned:
        return FineTuned(
            key=key, keep_id="learned-40", macs_fraction=0.4, settings=TrainSettings(), top1_before=0.7, top1=top1,
            heldout_top1=heldout, epochs=3, seconds=1.0, curve=(), created="2026-01-01T00:00:00Z",
        )  # fmt: skip

    again = [*POINTS[:5], trained("learned", 40, 0.91, "a"), trained("learned", 40, 0.915, "b")]
    points = frontier_points(Measurements(again, runs=[run("a", 0.95, 0.91), run("b", 0.94, 0.915)]))
    lines = {line.name: line for line in frontier_lines(points)}
    assert points.loc[lines["Learned, trained"].rows, "top1_percent"].tolist() == [91.0]
    assert points.loc[lines["Learned, trained again"].rows, "top1_percent"].tolist() == pytest.approx([91.5])
    networks, _ = networks_of(points)
    assert networks.loc[networks["macs"] == 40, "after"].dropna().tolist() == [91.0]


def test_the_original_trained_once_more_is_a_mark_of_its_own() -> None:
    """Nothing was cut from it, so the line of the trained networks does not lead to it."""
    points = frontier_points(Measurements([*POINTS, trained("learned", 100, 0.95, "whole")]))
    lines = {line.name: line for line in frontier_lines(points)}
    assert points.loc[lines["Learned, trained"].rows, "macs"].max() < 100
    (row,) = lines["Learned, trained again"].rows
    assert points.at[row, "top1_percent"] == 95.0
    assert points.at[row, "hover"].splitlines()[0] == "Original, trained once more, 100.0 % of the MACs"


def together(*points: tuple[int, float], keep: str = "learned-{}") -> dict[str, SupernetRun]:
    """A supernet of the learned ranking with points of so many million of 100 million MACs, and their top-1."""
    own = [
        SupernetPoint(keep.format(macs), macs * 10**6, macs * 10**4, macs / 100, 32, top1, 1.0, 1000)
        for macs, top1 in points
    ]
    return {"learned": SupernetRun("s", "learned", "", 0.2, None, 0.9, 30, 60.0, "plain", points=tuple(own))}


def test_networks_of_a_supernet_have_a_line_of_their_own_without_the_whole_network() -> None:
    measured = Measurements(POINTS, supernets=together((100, 0.94), (40, 0.905), (30, 0.88)))
    points = frontier_points(measured)
    shared = points[points["series"] == "together"]
    assert shared[["macs", "top1_percent", "opens", "run"]].to_numpy().tolist() == [
        [30.0, 88.0, "learned", ""], [40.0, 90.5, "learned", ""],
    ]  # fmt: skip
    assert shared["latency"].tolist() == [4.5, 5.0] and shared["latency_measured"].tolist() == [False, True]
    assert shared["hover"].iloc[0].split("\n") == [
        "Learned, trained together, 30.0 % of the MACs",
        "top-1 88.00 % on 1,000 test images",
        "30.00 M MACs, 300.0 k parameters, ~4.5 ms",
        "one training of 30 epochs for all budgets",
    ]
    lines = {line.kind: line for line in frontier_lines(points) if line.ranking == "learned"}
    assert points.loc[lines["trained together"].rows, "macs"].tolist() == [30, 40]
    looks = [lines[kind].look for kind in ("trained", "trained together", "as cut")]
    assert [look["line"].get("dash") for look in looks] == [None, None, "dot"]  # both that are trained are solid
    assert [look["marker"]["symbol"] for look in looks] == ["circle", "circle-open", "circle-open"]


def test_a_network_that_was_trained_in_both_ways_has_both_accuracies() -> None:
    measured = Measurements(POINTS, supernets=together((40, 0.905), (30, 0.88)))
    networks, _ = networks_of(frontier_points(measured))
    row = networks[(networks["macs"] == 40) & (networks["ranking"] == "learned")].iloc[0]
    assert [round(row[name], 3) for name in ("before", "together", "after")] == [70, 90.5, 91]
    alone = networks[networks["macs"] == 30].iloc[0]
    assert alone["together"] == 88 and math.isnan(alone["before"]) and math.isnan(alone["after"])


def test_without_other_trained_networks_the_chart_opens_on_those_of_the_supernet() -> None:
    measured = Measurements(POINTS[:4], supernets=together((40, 0.905), (30, 0.85)))
    bottom, top = ranges(frontier_points(measured), "learned", whole=False).y
    assert 84 < bottom < 85 and 93 < top < 94


def test_labels_stand_at_the_ends_of_lines_that_are_shown() -> None:
    points = frontier_points(Measurements(POINTS))
    lines = {line.name: line for line in frontier_lines(points)}
    fit, whole = (ranges(points, "learned", whole=whole) for whole in (False, True))

    def macs_of(line: Line, shown: object) -> float | None:
        row = label_row(points, line, "macs", shown)  # type: ignore[arg-type]
        return None if row is None else float(points.at[row, "macs"])

    assert macs_of(lines["Learned, trained"], fit) == 20
    assert macs_of(lines["Learned, as cut"], fit) == 80  # 70 and 20 % lie below
    assert macs_of(lines["Learned, as cut"], whole) == 40  # 20 % lies on the ground
    assert macs_of(lines["Uniform, as cut"], fit) is None  # the original is no end of its own
    assert macs_of(lines["Original"], fit) == 100


def test_a_network_is_one_kept_set_as_cut_and_trained() -> None:
    points = frontier_points(Measurements(POINTS))
    networks, number = networks_of(points)
    assert networks["ranking"].tolist() == ["learned"] * 3 + ["uniform", "original"]
    assert number == [0, 1, 2, 3, 0, 1, 3, 4]
    assert networks["before"].tolist() == [20.0, 70.0, 92.0, 30.0, 93.0]
    assert networks["after"].tolist()[:2] == [83.0, 91.0] and math.isnan(networks["after"].iloc[2])
    assert networks["latency"].tolist() == [4.0, 5.0, 7.5, 6.0, 7.0]


def test_no_point_beats_one_of_the_pareto_frontier() -> None:
    best = pareto(frontier_table(Measurements(POINTS), "latency"))
    assert list(zip(best["x"], best["top1_percent"], strict=True)) == [(4.0, 83.0), (5.0, 91.0), (7.0, 93.0)]


@pytest.mark.parametrize("axis", AXES)
def test_the_figure_is_drawn_without_a_browser(axis: str) -> None:
    measured = Measurements(POINTS)
    figure = frontier_figure(measured, axis, "learned", error=True)  # type: ignore[arg-type]
    lines = {trace.name: trace for trace in figure.data}
    assert lines["Learned, trained"].y == pytest.approx((17.0, 9.0))  # errors
    assert "Learned, trained" in lines["Learned, trained"].text
    assert figure.layout.yaxis.ticktext[-1] == "85"
    alone = frontier_figure(measured, axis, "learned", others=())  # type: ignore[arg-type]
    assert [trace.name for trace in alone.data] == [
        "Learned, as cut", "Learned, trained", "Original", "Pareto",
    ]  # fmt: skip
    assert "trained" in alone.data[1].text
    assert not frontier_figure(Measurements([]), axis, "learned").data  # type: ignore[arg-type]


# -- devices -----------------------------------------------------------------------------------------------------


def test_latencies_are_shown_of_the_device_that_is_named_and_of_no_other() -> None:
    board = Latency(0.0, "PyTorch 2.14.1", "cuda", 6, 1, machine="Orin")
    there = [replace(p, latency=replace(board, milliseconds=30.0)) for p in POINTS[:2]]
    both = Measurements([*POINTS, *there])
    assert list(both.devices) == ["AMD EPYC, 1 thread, PyTorch 2.14.1", "Orin (cuda), 6 threads, PyTorch 2.14.1"]
    assert both.conditions == CPU.conditions
    chosen = replace(both, device="Orin (cuda), 6 threads, PyTorch 2.14.1")
    assert chosen.conditions == board.conditions
    assert set(frontier_points(chosen)["latency"].dropna()) == {30.0}
    assert chosen.latency_ms("learned", 40 * 10**6) is None  # never read off another device
    assert replace(both, device="a device of before").conditions == CPU.conditions


def test_the_name_of_a_device_says_all_its_conditions() -> None:
    assert device_name(Conditions("PyTorch 2.14.1", "cpu", 2, 8)) == "cpu, 2 threads, PyTorch 2.14.1, batch 8"
    one, other = (Conditions("PyTorch 2.14.1", "cpu", n, 1, "AMD EPYC") for n in (1, 2))
    assert device_name(one) != device_name(other)


# -- colours -------------------------------------------------------------------------------------------------------

#: How the colour-blind see linear RGB, at full severity (Machado, Oliveira and Fernandes 2009).
SEEN = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array(TO_XYZ) @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize(
    "colour",
    [*(COLOURS[name] for name in (*RANKINGS, "original", "earlier", "finetuned")), REMOVED["line"]["color"]],
)
def test_marks_and_edges_of_bars_stand_out_from_both_backgrounds(colour: str) -> None:
    """WCAG 1.4.11: 3:1."""
    for background in BACKGROUNDS:
        dark, light = sorted(float(linear(shade) @ TO_XYZ[1]) for shade in (colour, background))
        assert (light + 0.05) / (dark + 0.05) >= 3


@pytest.mark.parametrize("sight", SEEN)
def test_rankings_differ_for_the_colour_blind_and_by_shape(sight: str) -> None:
    seen = [lab(np.array(SEEN[sight]) @ linear(COLOURS[name])) for name in RANKINGS]
    distances = [np.linalg.norm(seen[a] - seen[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert min(distances) >= 20  # CIE76; about 2 can just be told apart
    assert len(set(SYMBOLS.values())) == len(RANKINGS)


def sized(ranking: RankingName, macs: int, height: int, top1: float, ms: float | None, supernet: str) -> SizedNetwork:
    """A network of `macs` million MACs whose budget is twice as many of 100 million."""
    taken = () if ms is None else (replace(CPU, milliseconds=ms), replace(CPU, milliseconds=1.0, threads=2))
    return SizedNetwork(
        ranking, f"{ranking}-{2 * macs}", height, supernet, macs * 10**6, macs * 10**4, macs / 50, top1, 1000, taken
    )


SIZED = (
    sized("learned", 20, 24, 0.89, 3.0, "s"),
    sized("learned", 40, 24, 0.925, None, "s"),
    sized("learned", 10, 16, 0.6, 2.0, ""),
)


def test_networks_with_smaller_images_have_a_line_for_each_size() -> None:
    measured = Measurements(POINTS, height=32, sized=SIZED)
    points = frontier_points(measured)
    rows = points[points["series"] == "sized"]
    columns = ["macs", "percent", "height", "shared", "opens", "latency_measured"]
    assert rows[columns].to_numpy().tolist() == [
        [10, 20, 16, False, "learned", True], [20, 40, 24, True, "learned", True], [40, 80, 24, True, "learned", False],
    ]  # fmt: skip
    assert rows["latency"].tolist()[:2] == [2, 3] and math.isnan(rows["latency"].iloc[2])  # other threads do not count
    assert set(points.loc[points["series"] != "sized", "height"]) == {32}
    assert rows["hover"].iloc[1].split("\n") == [
        "Learned, trained together, images of 24 pixels, budget 40.0 %",
        "top-1 89.00 % on 1,000 test images",
        "20.00 M MACs, 200.0 k parameters, 3 ms",
    ]
    lines = {line.name: line for line in frontier_lines(points)}
    small, cut = lines["Learned, trained together, 24 px"], lines["Learned, as cut, 16 px"]
    assert (small.kind, points.loc[small.rows, "macs"].tolist()) == ("24 px", [20, 40])
    assert (cut.kind, cut.look["line"]["dash"], small.look["line"]["dash"]) == ("16 px", "dot", "solid")
    without = frontier_points(Measurements(POINTS))
    assert ranges(points, "learned", whole=False).y == ranges(without, "learned", whole=False).y


def test_the_best_networks_are_those_of_all_sizes_together() -> None:
    table = frontier_table(Measurements(POINTS, height=32, sized=SIZED), "macs")
    best = pareto(table)
    assert best[["macs", "height"]].to_numpy().tolist() == [[10, 16], [20, 24], [40, 24], [100, 32]]
    figure = frontier_figure(Measurements(POINTS, height=32, sized=SIZED), "macs", "learned")
    (steps,) = (trace for trace in figure.data if trace.name == "Pareto")
    assert list(steps.x) == [10, 20, 40, 100]
    assert "Learned, 24 px" in {text for trace in figure.data for text in trace.text or ()}


def test_a_network_with_smaller_images_is_another_network_of_the_list() -> None:
    points = frontier_points(Measurements(POINTS, height=32, sized=[SIZED[0], SIZED[2]]))
    networks, _ = networks_of(points)
    assert SIZED[0].keep_id in set(points.loc[points["height"] == 32, "keep"])  # that kept set was measured as well
    row = networks[networks["height"] == 24].iloc[0]
    assert row["together"] == 89 and math.isnan(row["before"]) and row["percent"] == 40
    own = networks[(networks["height"] == 32) & (networks["macs"] == 40) & (networks["ranking"] == "learned")].iloc[0]
    assert own["after"] == 91 and math.isnan(own["together"])
    assert networks.loc[networks["height"] == 16, "before"].tolist() == [60]


def test_a_network_of_a_supernet_has_the_latency_that_was_measured_with_its_own_size() -> None:
    taken = {"learned-30": (replace(CPU, milliseconds=4.25), replace(CPU, milliseconds=9.0, threads=2))}
    measured = Measurements(POINTS, supernets=together((30, 0.88)), own_latencies=taken)
    shared = frontier_points(measured).query("series == 'together'")
    assert shared["latency"].tolist() == [4.25] and shared["latency_measured"].tolist() == [True]
