"""The map of where networks came from: every run and export once, under what led to it."""

from dataclasses import replace
from pathlib import Path

import pytest

from legr.charts.lineage import COLUMNS, ExportedNetwork, Origin, lineage
from legr.charts.measurements import device_name, measurements_of
from legr.study.records import RankingName
from legr.study.run_names import name_run
from legr.study.store import Study, keep_id
from tests.app.demo_study import add_finetuned, add_supernet, make_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """It has runs at 50 and at 30 %, two of the first, and a supernet."""
    study = make_study(tmp_path / "demo")
    run = add_finetuned(study)
    study.save_finetuned(replace(run, key="second", top1=0.95, name="for the robot", created="2026-01-04T00:00:00Z"))
    study.finetuned_weights("second").touch()
    add_finetuned(study, 0.3, 0.9)
    add_supernet(study)
    return study


def exported(study: Study, key: str, macs: float, run: str = "", ranking: RankingName = "learned") -> ExportedNetwork:
    """An export of the network that a ranking leads to today."""
    curve = study.curve(ranking)
    step = curve.step(macs=macs)
    fraction = float(curve.macs[step] / curve.original.macs)
    title = f"{100 * macs:g} %"
    return ExportedNetwork(key, keep_id(curve.keep(step)), run, title, "2026-01-05", ranking, fraction)


def origins_of(study: Study, *exports: ExportedNetwork) -> dict[str, Origin]:
    origins = lineage(study, measurements_of(study, study.curve), exports, study.curve)
    assert len({origin.key for origin in origins}) == len(origins)
    known: set[str] = {""}
    for origin in origins:  # each behind the one that it came from
        assert origin.parent in known
        known.add(origin.key)
    return {origin.key: origin for origin in origins}


def test_every_run_stands_under_its_network_and_ranking(study: Study) -> None:
    origins = origins_of(study)
    half = study.finetuned_run("second")
    assert half is not None
    assert [key for key in origins if key.startswith("ranking:")] == ["ranking:learned"]
    assert origins["run:second"].parent == origins["run:run-0.5"].parent == f"network:{half.keep_id}"
    network = origins[f"network:{half.keep_id}"]
    assert (network.parent, network.title) == ("ranking:learned", f"{100 * half.macs_fraction:.1f} % of the MACs")
    assert origins["ranking:learned"].parent == "original" and origins["supernet:together"].parent == "ranking:learned"
    assert [origins["run:second"].title, origins["run:second"].top1] == ["for the robot", 0.95]
    assert origins["run:run-0.5"].title == "Fine-tuned: quick" and origins["supernet:together"].title == (
        "Trained together, 3 epochs"
    )
    assert all(origin.today for origin in origins.values())
    assert COLUMNS[network.column] == "Budget" and COLUMNS[origins["run:second"].column] == "Trained"


def test_no_two_steps_of_a_column_stand_in_one_row(study: Study) -> None:
    origins = origins_of(study, exported(study, "4", 0.25, ranking="uniform"))
    places = [(origin.column, origin.row) for origin in origins.values()]
    assert len(set(places)) == len(places)
    leaves = [
        origin.row for origin in origins.values() if origin.key not in {other.parent for other in origins.values()}
    ]
    assert sorted(leaves) == list(range(len(leaves)))
    half = study.finetuned_run("second")
    assert half is not None
    network = origins[f"network:{half.keep_id}"]
    assert network.row == (origins["run:second"].row + origins["run:run-0.5"].row) / 2


def test_exports_stand_under_the_weights_that_they_have(study: Study) -> None:
    cut = exported(study, "3", 0.7)
    origins = origins_of(
        study,
        exported(study, "1", 0.5, "second"),
        exported(study, "2", 0.7, "together"),
        cut,
        exported(study, "4", 0.25, ranking="uniform"),
        exported(study, "5", 0.4, "gone"),
    )
    parents = {key.partition(":")[2]: origin.parent for key, origin in origins.items() if origin.kind == "export"}
    assert (parents["1"], parents["2"]) == ("run:second", "supernet:together")
    assert parents["3"] == f"network:{cut.keep_id}" and origins[parents["3"]].parent == "ranking:learned"
    assert origins[parents["4"]].parent == "ranking:uniform" and origins["export:4"].ranking == "uniform"
    lost = origins[parents["5"]]
    assert lost.title == "A training that was removed" and origins[lost.parent].kind == "network"
    assert not lost.today and not origins["export:5"].today and origins["export:5"].run == "gone"


def test_an_exported_network_that_no_ranking_leads_to_is_of_before(study: Study) -> None:
    lost = replace(exported(study, "1", 0.4), keep_id="0" * 12)
    origins = origins_of(study, lost)
    assert not origins["export:1"].today
    assert origins[origins["network:000000000000"].parent].title == "Learned, before"


def test_devices_of_an_exported_network_are_told(study: Study) -> None:
    point = next(p for p in study.points if p.ranking == "learned" and p.latency and not p.finetuned)
    assert point.latency is not None
    there = replace(point.latency, machine="a robot", milliseconds=0.5)
    study.save_points([*study.points, replace(point, latency=there)])
    origins = origins_of(study, exported(study, "1", point.budget))
    here = device_name(point.latency.conditions)
    known = f"{point.latency.milliseconds:.3g} ms on {here}, 0.5 ms on {device_name(there.conditions)}"
    assert origins["export:1"].told == f"2026-01-05; {known}"
    smaller = origins_of(study, replace(exported(study, "1", point.budget), height=24))
    assert smaller["export:1"].told == "2026-01-05"  # with such images it was not timed


def test_what_is_of_an_earlier_ranking_stands_apart(study: Study) -> None:
    learned = study.learned
    assert learned is not None
    study.save_learned(replace(learned, alpha=learned.alpha[::-1], kappa=tuple(k + 1 for k in learned.kappa)))
    name_run(study, "together", "before lunch")
    origins = origins_of(Study.open(study.path))
    together = origins["supernet:together"]
    assert together.title == "before lunch" and not together.today
    assert origins[together.parent].title == "Learned, before" and not origins[together.parent].today
    assert not origins["run:second"].today
    assert {origin.kind for origin in origins.values() if origin.today} == {"original"}


def test_nothing_but_the_original_where_nothing_was_trained(tmp_path: Path) -> None:
    assert list(origins_of(make_study(tmp_path / "demo"))) == ["original"]
