"""Images of other heights in the dial: which are offered, and what its table says of networks that take them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.budget_dial.image_sizes import heights_of, sized_line, sized_table
from app.budget_dial.study_data import sized_data
from app.budget_dial.table import is_row
from app.curves import measured_stamp, measurements, stamp
from legr.charts.measurements import percent_of
from legr.structure.cost import cost, layer_macs
from legr.study.heights import CostsAtHeight, add_heights, structures_by_height
from legr.study.records import RankingName
from legr.study.store import Study, keep_id
from tests.app.conftest import OpenApp
from tests.app.demo_study import add_sizes
from tests.app.plain_table import plain_table
from tests.app.test_explore_page import dial

BUDGETS = (1.0, 0.6, 0.2)


@pytest.fixture
def study(studies: Path) -> Study:
    """Its learned ranking has a supernet that was measured at 24 pixels, and timed with two of the three networks."""
    study = Study.open(studies / "demo")
    add_sizes(study, (24,), BUDGETS)
    return study


def table_of(study: Study, height: int = 24, **more: Any) -> dict[str, Any]:
    structure = structures_by_height(study)[height]
    ranking: RankingName = "learned"
    return plain_table(
        sized_table(study.curve(ranking), structure, ranking, measurements(study), height, start=0.47, **more)
    )


def test_sizes_are_offered_where_networks_were_measured_and_their_costs_are_known(study: Study) -> None:
    assert heights_of(study, "learned") == [32, 24]
    assert heights_of(study, "identity") == [32]
    add_heights(study, [CostsAtHeight(16, tuple(op.macs // 4 for op in study.structure.ops))])
    assert heights_of(study, "learned") == [32, 24]  # nothing was measured with them
    (study.path / "heights.json").unlink()
    assert heights_of(study, "learned") == [32]


def test_costs_are_those_of_such_images_and_networks_are_those_of_the_budgets(study: Study) -> None:
    curve, structure, table = study.curve("learned"), structures_by_height(study)[24], table_of(study)
    for row, percent in enumerate(table["percent"]):
        keep = curve.at(macs=percent / 100)
        assert table["macs"][row] == cost(structure, keep).macs
        assert table["own_macs"][row] == cost(study.structure, keep).macs > table["macs"][row]
        assert table["params"][row] == cost(study.structure, keep).params
        macs = layer_macs(structure, keep)
        assert table["layer_macs"][row] == [macs[layer.parameter] for layer in structure.layers]
    assert table["percent"][table["start"]] == 47


def test_accuracy_and_latency_are_measured_with_such_images_or_read_between_two_networks(study: Study) -> None:
    curve, table = study.curve("learned"), table_of(study)
    sized = {network.keep_id: network for network in measurements(study).sized}
    rows = {keep_id(curve.at(macs=percent / 100)): row for row, percent in enumerate(table["percent"])}
    for name, network in sized.items():
        assert table["after"][rows[name]] == network.top1 and table["after_measured"][rows[name]]
    assert not all(table["after_together"])  # below the smallest network nothing is known
    smallest = rows[min(sized.values(), key=lambda network: network.macs).keep_id]
    assert set(table["after"][:smallest]) <= {None} and None not in table["after"][smallest:]
    assert table["after_together"][smallest:] == [True] * len(table["after"][smallest:])
    assert set(table["before"]) == {None} and table["predicted"] is None
    timed = [rows[name] for name, network in sized.items() if network.latencies]
    assert [row for row, taken in enumerate(table["latency_measured"]) if taken] == sorted(timed)
    assert None not in table["latency"][min(timed) : max(timed) + 1] and set(table["latency"][: min(timed)]) <= {None}


def test_a_budget_that_is_compared_with_is_a_row(study: Study) -> None:
    curve, structure = study.curve("learned"), structures_by_height(study)[24]
    measured = measurements(study)
    without = sized_table(curve, structure, "learned", measured, 24, start=0.47)
    missing = next(int(macs) for macs in curve.macs if int(macs) not in (without["own_macs"] or ()))
    percent = percent_of(missing / curve.original.macs)
    with_it = sized_table(curve, structure, "learned", measured, 24, start=0.47, compared=percent)
    assert is_row(with_it, curve, percent) and not is_row(without, curve, percent) and is_row(with_it, curve, 47)


def test_the_original_stands_beside_them_with_its_own_images(study: Study) -> None:
    stamps = stamp(study), measured_stamp(study)
    data = sized_data(str(study.path), "learned", stamps, True, 0.47, None, "", 24)
    assert data["original"]["macs"] == study.curve("learned").original.macs
    assert data["original"]["latency"] == 4.0 and data["original"]["predicted"] is None
    assert data["note"].startswith("Images are scaled to a height of 24 pixels. Accuracy and latency (")
    assert data["note"].endswith("as everywhere. Fine-tuned weights are for images of 32 pixels.")
    untimed = replace(measurements(study), sized=[replace(n, latencies=()) for n in measurements(study).sized])
    assert "Accuracy with them was measured of 3 networks" in sized_line(untimed, "learned", 24)


def test_a_link_names_a_size_and_one_that_is_not_offered_means_the_own(study: Study, open_app: OpenApp) -> None:
    own = dial(open_app())
    assert (own["sizes"], own["size"], own["table"]["own_macs"]) == ([32, 24], 32, None)
    sized = dial(open_app(size="24"))
    whole, whole_sized = own["table"]["macs"][-1], sized["table"]["macs"][-1]
    assert sized["size"] == 24 and whole_sized < whole == sized["table"]["own_macs"][-1]
    assert sized["id"] != own["id"] and sized["original"]["macs"] == own["original"]["macs"]
    for size in ("16", "24.0", "x"):
        assert dial(open_app(size=size))["size"] == 32
    assert dial(open_app(ranking="identity", size="24"))["size"] == 32
    assert dial(open_app("finetune", size="24"))["sizes"] == []  # networks are trained with the study's own images


def test_what_is_chosen_in_the_dial_is_remembered_and_a_run_is_shown_with_its_own_images(
    study: Study, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = open_app(budget="50")
    number = iter(range(9, 99))

    def choose(name: str, value: object) -> object:
        chosen = {"number": (n := next(number)), "choices": [{"name": name, "value": value, "number": n}]}
        with monkeypatch.context() as patch:
            patch.setattr("app.budget_dial.view.budget_dial", lambda data, key, on_view: on_view(chosen))
            at.run()
        found = at.query_params.get("size")
        return found[0] if isinstance(found, list) else found

    assert choose("size", 24) == "24"
    assert choose("size", 32) is None  # its own is the usual one
    assert choose("open", {"percent": 30.0, "ranking": "learned", "size": 24}) == "24"
    assert dial(at.run())["table"]["percent"][dial(at)["table"]["start"]] == 30
    assert choose("open", {"percent": 30.0, "ranking": "identity", "size": "24"}) is None
    assert choose("size", 24) == "24"
    (run,) = study.finetuned
    assert choose("run", run.key) is None
    assert choose("size", 24) == "24" and "run" not in at.query_params
