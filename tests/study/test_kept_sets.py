"""Figures and runs belong to kept sets, and stay with them when the ranking or the constraints change."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from legr.ranking.constraints import Constraints
from legr.structure.types import Keep
from legr.study.kept_sets import keep_id, packed, unpacked
from legr.study.known import kept_set_of, known_networks, measured_points, rankings_that_lead_to
from legr.study.latency import Latency
from legr.study.records import FineTuned, FineTuning, Learned, Point, PointRanking
from legr.study.store import Study
from legr.training.settings import TrainSettings
from tests.study.test_store import a_learned

LATENCY = Latency(3.0, "PyTorch", "cpu", 1, 1)


def another_map(study: Study) -> Learned:
    """A map under which other filters go first."""
    n = len(study.structure.layers)
    return replace(a_learned(study), alpha=tuple(2.0 ** (layer % 3) for layer in range(n)), kappa=tuple(range(n)))


def point_of(study: Study, ranking: PointRanking, budget: float = 0.5, milliseconds: float = 3.0) -> Point:
    """As an earlier version stored it: without its kept set."""
    curve = study.curve("identity" if ranking == "original" else ranking)
    step = curve.step(macs=budget)
    macs, params, latency = int(curve.macs[step]), int(curve.params[step]), replace(LATENCY, milliseconds=milliseconds)
    fraction = macs / curve.original.macs
    return Point(ranking, study.ranking_id(ranking), budget, macs, params, fraction, 0.9, 0.3, 10, True, latency)


def run_of(study: Study, budget: float = 0.5) -> FineTuned:
    """As an earlier version stored it, for the learned ranking: with the name of its kept set alone."""
    curve = study.curve("learned")
    step = curve.step(macs=budget)
    name, fraction = keep_id(curve.keep(step)), float(curve.macs[step] / curve.original.macs)
    run = FineTuned(f"{name}-01234567", name, fraction, TrainSettings(), 0.8, 0.93, 0.9, 1, 1.0, ranking="learned")
    study.save_finetuned(run)
    study.finetuned_weights(run.key).touch()
    return run


@pytest.fixture
def study(study_path: Path) -> Study:
    study = Study.open(study_path)
    study.save_learned(a_learned(study))
    return study


@pytest.mark.parametrize("n_units", [1, 7, 8, 9, 1000])
def test_a_kept_set_as_text(n_units: int) -> None:
    keep = Keep(np.arange(n_units) % 3 == 0)
    text = packed(keep)
    assert unpacked(text, n_units) == keep and len(text) <= n_units / 6 + 4
    for wrong in (n_units + 8, max(0, n_units - 8)):
        with pytest.raises(ValueError, match="kept set"):
            unpacked(text, wrong)
    with pytest.raises(ValueError, match="base64"):
        unpacked("not base64!", n_units)


def test_points_of_an_earlier_version_have_the_kept_set_of_their_budget(study: Study) -> None:
    whole = point_of(study, "original", budget=1.0)
    study.save_points([whole, *(point_of(study, name) for name in ("learned", "uniform"))])
    original, learned, uniform = measured_points(study)
    assert original.keep_id == keep_id(Keep(np.ones(study.structure.n_units, dtype=bool)))
    assert learned.keep_id == keep_id(study.curve("learned").at(macs=0.5))
    assert uniform.keep_id == keep_id(study.curve("uniform").at(macs=0.5))


def test_what_is_not_certain_has_none(study: Study) -> None:
    learned = point_of(study, "learned")
    others = (
        replace(learned, ranking_id="0123456789ab"),  # of another map
        replace(learned, params=learned.params + 1),  # of an earlier way to rank
        replace(learned, budget=0.001),  # below the floor
        point_of(study, "original"),  # the whole network costs all of its MACs
    )
    study.save_points(others)
    assert [p.keep_id for p in measured_points(study)] == ["", "", "", ""]


def test_a_fine_tuned_point_names_the_kept_set_of_those_beside_it(study: Study) -> None:
    """Of an earlier ranking: the run's key has the kept set, and the same ranking and budget lead to one network."""
    run, before = run_of(study), replace(point_of(study, "learned"), ranking_id="0123456789ab")
    tuned = replace(before, finetuned=FineTuning.of(run.key, TrainSettings(), 1), latency=None)
    study.save_points([before, tuned, replace(before, params=before.params + 1)])
    assert [p.keep_id for p in measured_points(study)] == [run.keep_id, run.keep_id, ""]


@pytest.mark.parametrize("change", ["ranking", "constraints"])
def test_a_network_stays_itself_after_the_ranking_has_changed(study: Study, change: str) -> None:
    study.save_points([point_of(study, "learned")])
    keep, run = study.curve("learned").at(macs=0.5), run_of(study)
    if change == "ranking":
        study.save_learned(another_map(study))
    else:
        study.save_constraints(Constraints(pins={"layer1.0.conv1": 5}))
    again = Study.open(study.path)
    assert again.curve("learned").at(macs=0.5) != keep
    (kept_run,), (point,) = again.finetuned, measured_points(again)
    assert kept_set_of(again, kept_run) == keep and point.keep_id == run.keep_id
    (known,) = known_networks([point], [kept_run]).values()
    leads = rankings_that_lead_to([known], {name: again.curve(name) for name in again.rankings})
    # The map of `a_learned` scales all layers alike: the identity has the same order.
    assert leads == {run.keep_id: ("identity",) if change == "ranking" else ()}


def test_a_kept_set_that_is_damaged_or_of_another_network_is_none(study: Study) -> None:
    run = run_of(study)
    other = packed(study.curve("learned").at(macs=0.4))
    assert kept_set_of(study, replace(run, kept=other)) is None
    assert kept_set_of(study, replace(run, kept="%%%")) is None
    assert kept_set_of(study, run) == study.curve("learned").at(macs=0.5)
    assert kept_set_of(study, replace(run, keep_id="0123456789ab")) is None


def test_a_latency_belongs_to_the_kept_set_and_not_to_ranking_and_macs(study: Study) -> None:
    """Two networks of the same ranking's name and MACs, one of them of an earlier map."""
    now = point_of(study, "learned", milliseconds=15.6)
    earlier = replace(
        now, ranking_id="0123456789ab", finetuned=FineTuning.of("a" * 12 + "-01234567", TrainSettings(), 1)
    )
    study.save_points([now, replace(earlier, latency=None)])
    known = known_networks(measured_points(study), study.finetuned)
    assert known["a" * 12].latency(LATENCY.conditions) is None
    named = known[keep_id(study.curve("learned").at(macs=0.5))].latency(LATENCY.conditions)
    assert named is not None and named.milliseconds == 15.6


def test_the_best_run_gives_the_accuracy_and_a_point_where_no_weights_are(study: Study) -> None:
    run, point = run_of(study), point_of(study, "learned")
    better = replace(run, key=f"{run.keep_id}-76543210", heldout_top1=0.95, top1=0.91)
    tuned = replace(point, finetuned=FineTuning.of(run.key, TrainSettings(), 1), top1=0.859)
    study.save_points([tuned])
    (known,) = known_networks(measured_points(study), [run, better]).values()
    assert (known.top1_before, known.top1_after, known.best_run) == (run.top1_before, 0.91, better)
    (alone,) = known_networks(measured_points(study), []).values()
    assert (alone.top1_before, alone.top1_after) == (None, 0.859)
