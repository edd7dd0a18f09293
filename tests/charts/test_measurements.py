"""Figures between measurements: interpolated where two are near, and nowhere else."""

from dataclasses import replace
from pathlib import Path

import pytest

from legr.charts.frontier import frontier_table
from legr.charts.measurements import Measurements, Reading
from legr.study.catalog import SAMPLES, list_studies
from legr.study.latency import Conditions, Latency
from legr.study.records import FineTuning, Point
from legr.study.store import Study
from legr.training.settings import TrainSettings

TUNED = FineTuning.of("", TrainSettings(), 3)
CPU = Latency(0.0, "PyTorch 2.14.1", "cpu", 2, 1)


def point(ranking: str, macs: int, top1: float, ms: float | None, **facts: object) -> Point:
    latency = None if ms is None else replace(CPU, milliseconds=ms)
    made = Point(ranking, "", macs / 1000, macs, 10 * macs, macs / 1000, top1, 1.0, 1000, True, latency)
    return replace(made, **facts)


POINTS = [
    point("original", 1000, 0.9, 4.0),
    point("learned", 500, 0.8, 3.0),
    point("learned", 200, 0.5, 1.0),
    point("identity", 500, 0.7, 2.0),
    point("learned", 500, 0.88, 2.5, finetuned=TUNED),
]


def test_a_measured_network_is_given_as_it_was_measured() -> None:
    found = Measurements(POINTS).top1("learned", 500)
    assert found is not None and (found.value, found.measured) == (0.8, True)


def test_between_two_networks_lies_the_straight_line() -> None:
    measured = Measurements(POINTS)
    top1, latency = measured.top1("learned", 350), measured.latency_ms("learned", 350)
    assert top1 is not None and not top1.measured and top1.value == pytest.approx(0.65)
    assert latency is not None and not latency.measured and latency.value == pytest.approx(2.0)
    above = measured.latency_ms("learned", 750)  # the original is the end of every line
    assert above is not None and above.value == pytest.approx(3.5)


def test_there_is_no_guess_beyond_the_last_network_or_without_any() -> None:
    measured = Measurements(POINTS)
    assert measured.top1("learned", 199) is None
    assert measured.top1("uniform", 500) is None
    assert Measurements([]).latency_ms("learned", 500) is None
    assert Measurements([]).conditions is None


def test_the_original_needs_no_other_point() -> None:
    found = Measurements(POINTS[:1]).latency_ms("uniform", 1000)
    assert found is not None and (found.value, found.measured) == (4.0, True)


def test_latencies_of_other_conditions_are_left_out() -> None:
    gpu = Latency(0.1, "PyTorch 2.14.1", "cuda", 2, 64)
    measured = Measurements([*POINTS, point("learned", 350, 0.7, None, latency=gpu)])
    assert measured.conditions == Conditions("PyTorch 2.14.1", "cpu", 2, 1)
    latency, top1 = measured.latency_ms("learned", 350), measured.top1("learned", 350)
    assert latency is not None and (latency.value, latency.measured) == (pytest.approx(2.0), False)
    assert top1 is not None and (top1.value, top1.measured) == (0.7, True)


def test_latencies_of_two_machines_are_not_mixed_and_the_last_of_equals_is_shown() -> None:
    """A study that came from elsewhere, measured here as well."""
    here = [replace(p, latency=replace(p.latency, machine="Here", milliseconds=9.0)) for p in POINTS if p.latency]
    few = Measurements([*POINTS, *here[:2]])
    assert few.conditions == Conditions("PyTorch 2.14.1", "cpu", 2, 1)
    assert few.original is POINTS[0]
    for macs in (200, 500):  # also where a point was measured again
        found = few.latency_ms("learned", macs)
        assert found is not None and found.measured and found.value < 9.0
    whole = Measurements([*POINTS, *here])
    assert str(whole.conditions) == "PyTorch 2.14.1, Here, 2 threads, batch 1"
    assert whole.original is here[0]
    assert {whole.latency_ms("learned", macs) for macs in (200, 500)} == {Reading(9.0, True)}


@pytest.mark.parametrize("sample", list_studies(SAMPLES), ids=lambda path: path.name)
def test_a_sample_that_was_measured_here_shows_latencies_of_here(sample: Path) -> None:
    """Its fine-tuned networks keep the latencies of there."""
    points = Study.open(sample).points
    here = [
        replace(p, latency=p.latency and replace(p.latency, machine="Here", milliseconds=9.0))
        for p in points
        if not p.finetuned
    ]
    measured = Measurements([*points, *here])
    assert measured.conditions is not None and measured.conditions.machine == "Here"
    row = frontier_table(measured, "latency")
    assert set(row["x"]) == {9.0}


def test_a_contended_latency_counts_where_it_can_be_measured_again() -> None:
    contended = replace(POINTS[2], latency=replace(CPU, contended=True))
    assert not Measurements(POINTS).contended
    assert Measurements([*POINTS, contended]).contended
    elsewhere = replace(POINTS[2], latency=replace(CPU, machine="elsewhere", contended=True))
    assert not Measurements([*POINTS, elsewhere]).contended
    assert not Measurements([*POINTS, replace(contended, finetuned=TUNED)]).contended
    unsteady = [replace(point, latency=replace(CPU, unsteady=True)) for point in (POINTS[2], contended)]
    assert Measurements(POINTS).unsteady == 0 and Measurements([*POINTS, *unsteady, elsewhere]).unsteady == 2


def test_conditions_in_words() -> None:
    assert str(Conditions("PyTorch 2.14.1", "cpu", 1, 8)) == "PyTorch 2.14.1, cpu, 1 thread, batch 8"
