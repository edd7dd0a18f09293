"""The table behind the budget dial: what the engine says of each network, and nothing that was not measured."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.budget_dial.sources import sources_line
from app.budget_dial.table import dial_table, is_row
from app.curves import measurements
from legr.charts.frontier import frontier_table
from legr.charts.measurements import Measurements, percent_of
from legr.ranking.budget import BudgetCurve
from legr.structure.cost import layer_macs
from legr.study.records import FineTuning
from legr.study.store import Study, keep_id
from legr.study.supernets import save_supernet
from legr.training.settings import RECIPES
from tests.app.demo_study import add_finetuned, add_supernet
from tests.app.plain_table import plain_table


@pytest.fixture
def study(studies: Path) -> Study:
    return Study.open(studies / "demo")


def table_of(study: Study, here: float = 0.47) -> tuple[BudgetCurve, dict[str, Any]]:
    curve = study.curve("learned")
    return curve, plain_table(dial_table(curve, "learned", measurements(study), start=here))


def test_where_networks_are_run_only_those_that_were_trained_have_an_accuracy_as_trained(study: Study) -> None:
    curve = study.curve("learned")
    expected = dial_table(curve, "learned", measurements(study), start=0.47)
    exact = dial_table(curve, "learned", measurements(study), start=0.47, expected=False)
    rows = expected["after_measured"]
    assert exact["after_measured"] == rows and any(value is not None for value in expected["after"])
    assert exact["after"] == [value if row in rows else None for row, value in enumerate(expected["after"])]
    assert {**exact, "after": None} == {**expected, "after": None}


def test_every_stop_is_the_network_of_its_budget(study: Study) -> None:
    curve, table = table_of(study)
    for row, percent in enumerate(table["percent"]):
        step = curve.step(macs=percent / 100)
        assert table["macs"][row] == curve.macs[step] and table["params"][row] == curve.params[step]
        assert table["kept"][row] == curve.kept[:, step].tolist()


def test_stops_rise_from_the_floor_to_the_whole_and_are_fine(study: Study) -> None:
    curve, table = table_of(study)
    percents, macs = table["percent"], table["macs"]
    assert np.all(np.diff(percents) > 0) and np.all(np.diff(macs) > 0)
    assert macs[0] == curve.macs[-1] and macs[-1] == curve.macs[0] and percents[-1] == 100
    largest = np.diff(curve.macs[::-1]).max() / curve.original.macs  # one removal may take more than a stop
    assert np.diff(percents).max() <= 0.25 + 100 * largest


def test_measured_networks_are_stops_and_all_else_is_between_or_unknown(study: Study) -> None:
    _, table = table_of(study)
    measured = {int(p.macs): p for p in Measurements(study.points).line("learned")}
    found = {macs for macs, known in zip(table["macs"], table["before_measured"], strict=True) if known}
    assert found == set(measured)
    smallest = min(measured)
    for macs, before, latency in zip(table["macs"], table["before"], table["latency"], strict=True):
        assert (before is None) == (latency is None) == (macs < smallest)
        if macs in measured:
            assert before == pytest.approx(measured[macs].top1, abs=1e-5)


def test_after_fine_tuning_lies_between_networks_that_were_tuned(study: Study) -> None:
    (high,) = study.finetuned
    low = add_finetuned(study, budget=0.3, top1=0.85)
    curve, table = table_of(study)
    ends = [int(curve.macs[curve.step(macs=budget)]) for budget in (0.3, 0.5)]
    rows = list(zip(table["macs"], table["after"], table["after_measured"], table["before"], strict=True))
    assert [macs for macs, _, known, _ in rows if known] == ends
    for macs, after, _, before in rows:
        line = low.top1 + (macs - ends[0]) / (ends[1] - ends[0]) * (high.top1 - low.top1)
        if ends[0] <= macs <= ends[1] and (macs in ends or line >= before):
            assert after == pytest.approx(line, abs=1e-5)
        else:
            assert after is None
    other = study.curve("uniform")
    assert set(dial_table(other, "uniform", measurements(study), start=0.5)["after"]) == {None}


def test_what_is_read_between_is_no_less_than_what_needs_no_fine_tuning(study: Study) -> None:
    add_finetuned(study, budget=0.3, top1=0.2)
    curve, table = table_of(study)
    low, high = (curve.macs[curve.step(macs=budget)] for budget in (0.3, 0.5))
    rows = zip(table["macs"], table["before"], table["after"], strict=True)
    between = [(before, after) for macs, before, after in rows if low < macs < high]
    assert any(after is None for _, after in between)
    assert all(after is None or after >= before for before, after in between)


def test_a_budget_keeps_the_words_it_was_asked_for_in(study: Study) -> None:
    for here in (0.4731, 0.5, 0.95):
        _, table = table_of(study, here)
        assert table["percent"][table["start"]] == pytest.approx(100 * here)
        assert np.all(np.diff(table["percent"]) > 0)


def test_a_study_without_measurements_has_none(study: Study) -> None:
    table = dial_table(study.curve("uniform"), "uniform", Measurements([]), start=0.5)
    assert set(table["before"]) == set(table["latency"]) == set(table["after"]) == {None}


@pytest.mark.parametrize("here", [1.0, 0.4731, 0.2, 0.0])
def test_it_starts_at_the_budget_exactly(study: Study, here: float) -> None:
    curve, table = table_of(study, here)
    assert table["macs"][table["start"]] == curve.macs[curve.step(macs=max(here, curve.floor))]


def test_costs_of_every_layer_are_those_of_its_network(study: Study) -> None:
    curve, table = table_of(study)
    keep = curve.at(macs=0.47)
    by_layer = layer_macs(curve.structure, keep)
    row, layers = table["start"], curve.structure.layers
    assert table["layer_macs"][row] == [by_layer[layer.parameter] for layer in layers]
    sizes = [
        [
            int(keep.kept(axis.labels).sum()) if (axis := curve.structure.axis_of.get((layer.parameter, dim))) else size
            for dim, size in enumerate(curve.structure.shapes[layer.parameter])
        ]
        for layer in layers
    ]
    assert table["layer_params"][row] == [int(np.prod(size)) for size in sizes]
    assert table["totals"] == [layer.total for layer in layers]


def test_a_percentage_leads_back_to_its_network(study: Study) -> None:
    curve = study.curve("learned")
    _, table = table_of(study)
    taken = [100 * macs / curve.original.macs for macs in table["macs"]]
    assert all(costs <= percent for costs, percent in zip(taken, table["percent"], strict=True))
    for step, macs in enumerate(curve.macs.tolist()):
        assert curve.macs[curve.step(macs=min(1.0, percent_of(macs / curve.original.macs) / 100))] == curve.macs[step]


def test_an_accuracy_is_shown_where_the_frontier_has_a_ring(study: Study) -> None:
    """Of a network that was fine-tuned elsewhere: its point came along, its weights did not."""
    curve = study.curve("uniform")
    step = curve.step(macs=0.3)
    point = next(p for p in study.points if p.ranking == "uniform" and p.budget == 0.3)
    key = f"{keep_id(curve.keep(step))}-01234567"
    study.add_point(replace(point, top1=0.859, finetuned=FineTuning.of(key, RECIPES["quick"], 3)))
    measured = measurements(study)
    info = frontier_table(measured, "macs")
    assert 85.9 in info[info["series"] == "finetuned"]["top1_percent"].tolist()
    table = plain_table(dial_table(curve, "uniform", measured, start=0.3))
    assert (table["after"][table["start"]], table["after_measured"][table["start"]]) == (0.859, 1)


def test_figures_of_another_ranking_count_where_it_leads_to_the_same_network(study: Study) -> None:
    """The map that scales all layers alike gives the order of the identity."""
    learned = study.learned
    assert learned is not None
    n = len(learned.layers)
    study.save_learned(replace(learned, alpha=(2.0,) * n, kappa=(0.0,) * n))
    measured, identity = measurements(study), next(p for p in study.points if p.budget == 0.5)
    assert identity.ranking == "identity" and not measured.line("learned")
    table = plain_table(dial_table(study.curve("learned"), "learned", measured, start=0.5))
    row = table["start"]
    assert (table["before"][row], table["before_measured"][row]) == (pytest.approx(identity.top1, abs=1e-5), 1)
    assert table["latency_measured"][row] == 1 and table["before"][row - 20] is None


def test_a_network_of_an_earlier_ranking_gives_no_figure_to_those_of_today(study: Study) -> None:
    learned = study.learned
    assert learned is not None
    study.save_learned(replace(learned, alpha=learned.alpha[::-1], kappa=learned.kappa[::-1]))
    table = dial_table(study.curve("learned"), "learned", measurements(study), start=0.5)
    assert set(table["after"]) == {None}


def test_a_budget_to_compare_with_is_a_row_of_its_own(study: Study) -> None:
    curve, table = table_of(study)
    step = next(n for n, macs in enumerate(curve.macs.tolist()) if macs not in table["macs"])
    percent = percent_of(curve.macs[step] / curve.original.macs)
    without = dial_table(curve, "learned", measurements(study), start=0.47)
    with_it = dial_table(curve, "learned", measurements(study), start=0.47, compared=percent)
    assert is_row(with_it, curve, percent) and not is_row(without, curve, percent)
    assert with_it["macs"][with_it["percent"].index(percent)] == curve.macs[step]
    assert is_row(without, curve, 0.0) and is_row(without, curve, 100.0)  # below the floor it means the floor


def test_networks_of_a_supernet_have_its_accuracy_at_its_points_and_between_them(study: Study) -> None:
    run = add_supernet(study, budgets=(1.0, 0.7, 0.3))
    _, table = table_of(study)
    own = {point.macs: point.top1 for point in run.points if point.side == 32}
    (tuned,) = study.finetuned
    whole, high, low = own
    for macs, after, known, together in zip(
        table["macs"], table["after"], table["after_measured"], table["after_together"], strict=True
    ):
        if macs == round(tuned.macs_fraction * whole):  # a run of exactly this network goes before it
            assert (after, known, together) == (tuned.top1, True, False)
        elif low <= macs < whole:
            left, right = (low, high) if macs <= high else (high, whole)
            line = own[left] + (macs - left) / (right - left) * (own[right] - own[left])
            assert after == pytest.approx(line, abs=1e-5)
            assert (known, together) == (macs in own, True)
        else:
            assert (after, together) == (None, False)


def test_the_table_says_how_far_networks_between_the_points_lie_from_the_line(study: Study) -> None:
    add_supernet(study, budgets=(1.0, 0.3), between={0.6: 0.002, 0.5: -0.003, 0.4: 0.0})
    _, table = table_of(study)
    off = table["together_off"]
    assert off is not None and off["networks"] == 3
    # budgets name networks that are a little smaller, so that the line of `add_supernet` is not quite that of MACs
    assert off["most"] == pytest.approx(0.003, abs=4e-4)
    line = sources_line(measurements(study), "learned", study.constraints)
    assert re.search(r"3 networks between them lay 0\.1\d points off the line, at most 0\.(2|3)\d\. ", line)
    add_supernet(study, budgets=(1.0, 0.3))  # as an earlier version wrote it
    _, table = table_of(study)
    assert table["together_off"] is None and table["after_together"]


def test_a_page_that_runs_networks_shows_what_was_trained_together_between_measured_networks_too(study: Study) -> None:
    add_supernet(study)
    curve = study.curve("learned")
    tables = [dial_table(curve, "learned", measurements(study), start=0.47, expected=e) for e in (True, False)]
    assert tables[0]["after_together"] == tables[1]["after_together"] != []
    assert {**tables[0], "after": None} == {**tables[1], "after": None}
    assert all(tables[0]["after"][row] == tables[1]["after"][row] for row in tables[0]["after_together"])


def test_a_supernet_goes_before_a_run_whose_weights_are_gone(study: Study) -> None:
    run = add_supernet(study, budgets=(1.0, 0.5, 0.3))
    (tuned,) = study.finetuned
    study.finetuned_weights(tuned.key).unlink()
    _, table = table_of(study)
    row = table["macs"].index(run.points[1].macs)
    assert (table["after"][row], table["after_together"][row]) == (run.points[1].top1, True)


def test_a_supernet_of_a_former_order_is_not_shown(study: Study) -> None:
    run = add_supernet(study)
    save_supernet(study, replace(run, ranking_id="former"))
    _, table = table_of(study)
    assert not any(table["after_together"])


def test_the_note_says_where_the_accuracy_of_a_supernet_comes_from(study: Study) -> None:
    run = add_supernet(study)
    said = f"every budget from {100 * run.smallest:.0f} % up, and was measured at 3 of them."
    measured = measurements(study)
    line = sources_line(measured, "learned", study.constraints)
    assert said in line and "~: read between two measured networks of this ranking." in line
    alone = sources_line(Measurements([], supernets=measured.supernets), "learned", study.constraints)
    assert alone.startswith("Accuracy as cut and latency: not measured. Trained together: ")
    assert f"{said} ~: read between two of them." in alone
    assert "Trained together" not in sources_line(measured, "identity", study.constraints)
