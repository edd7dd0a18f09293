"""Which weights a network is handed out with: those that are better on held-out images, as far as that is known."""

from pathlib import Path

import pytest

from app.budget_dial.table import dial_table
from app.views.weights import weights_of
from legr.charts.measurements import measurements_of
from legr.ranking.limits import Budget
from legr.study.store import Study
from legr.study.trained import chosen_network, trained_runs
from tests.app.demo_study import add_finetuned, add_supernet, make_study

HALF = Budget(macs=0.5)
BUDGETS = (1.0, 0.5, 0.2)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "studies" / "one")


@pytest.mark.parametrize(("heldout", "is_better"), [(None, False), (0.9, False), (0.91, False), (0.92, True)])
def test_a_supernet_goes_before_where_it_is_known_to_be_better(
    study: Study, heldout: float | None, is_better: bool
) -> None:
    run, supernet = add_finetuned(study), add_supernet(study, BUDGETS, heldout=heldout)  # the run has 0.91
    curve, keep = study.curve(), study.curve().at(HALF)
    runs = (supernet, run) if is_better else (run, supernet)
    assert trained_runs(study, keep, "learned") == runs
    assert chosen_network(study, HALF).run == runs[0]
    assert list(weights_of(study, "learned", keep).values()) == [*runs, None]
    measured = measurements_of(study, study.curve)
    table = dial_table(curve, "learned", measured, start=50, compared=None)
    row = table["macs"].index(int(curve.macs[curve.step(HALF)]))
    point = next(point for point in supernet.points if point.macs == table["macs"][row])
    assert table["after"][row] == (point.top1 if is_better else run.top1)
    assert (row in table["after_together"]) == is_better


def test_with_other_images_than_a_run_has_seen_the_supernet_goes_before(study: Study) -> None:
    run, supernet = add_finetuned(study), add_supernet(study, BUDGETS)
    keep = study.curve().at(HALF)
    assert trained_runs(study, keep, "learned", height=28) == (supernet, run)
    assert chosen_network(study, HALF, height=28).run == supernet


def test_what_there_is_not_is_not_chosen(study: Study) -> None:
    keep = study.curve().at(HALF)
    assert trained_runs(study, keep, "learned") == () and chosen_network(study, HALF).run is None
    supernet = add_supernet(study, BUDGETS)
    assert trained_runs(study, keep, "learned") == (supernet,)
    assert trained_runs(study, keep, "identity") == ()
