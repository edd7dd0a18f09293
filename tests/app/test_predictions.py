"""Predicted latencies on the pages: what the dial is given of a device that has a profile."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.budget_dial.devices import chosen_device, device_names
from app.budget_dial.study_data import study_data
from app.budget_dial.times import value_runs
from app.budget_dial.types import StudyData
from app.curves import budget_curve, measured_stamp, measurements, stamp
from app.profiles import profiled_devices
from legr.charts.frontier import frontier_points
from legr.charts.measurements import device_name
from legr.structure.cost import original_cost
from legr.study.latency import Latency
from legr.study.store import Study
from tests.app.profiled import BOARD, EAGER, add_profile


@pytest.fixture
def study(studies: Path) -> Study:
    study = Study.open(studies / "demo")
    add_profile(study)
    return study


def shown(study: Study) -> StudyData:
    stamps, device = (stamp(study), measured_stamp(study)), chosen_device(study)
    return study_data(str(study.path), "learned", stamps, True, 0.5, None, device, True)


def test_a_device_with_a_profile_is_shown_unless_another_is_chosen(study: Study, studies: Path) -> None:
    profiled, timed = device_names(study)
    assert profiled == "A board, 1 thread, ONNX Runtime 1.31" and timed in measurements(study).devices
    assert chosen_device(study) == profiled
    assert measurements(study, profiled).conditions == profiled_devices(study)[profiled].profile.conditions
    bare = measurements(study)  # of the device that was timed
    assert bare.predicted is None and bare.conditions and device_name(bare.conditions) == timed


def test_every_network_of_the_table_has_the_latency_that_its_profile_predicts(study: Study) -> None:
    curve, data = budget_curve(study, "learned"), shown(study)
    predicted = data["table"]["predicted"]
    (device,) = profiled_devices(study).values()
    assert predicted
    for percent, milliseconds in zip(data["table"]["percent"], predicted["latency"], strict=True):
        keep = curve.at(macs=percent / 100)
        counts = np.array([[keep.kept(labels).sum()] for labels in study.structure.vectors])
        assert milliseconds == pytest.approx(device.table.milliseconds(counts)[0], abs=1e-4)
    whole = original_cost(study.structure, device.table).latency_ms
    assert data["original"]["predicted"] == pytest.approx(whole, abs=1e-4)
    assert set(data["table"]["latency"]) == {None}  # none was measured there, and none is read between others


def test_times_of_layers_are_those_of_the_profile(study: Study) -> None:
    curve, data = budget_curve(study, "learned"), shown(study)
    (device,) = profiled_devices(study).values()
    predicted = data["table"]["predicted"]
    assert predicted
    counts = curve.table([percent / 100 for percent in data["table"]["percent"]]).counts
    names = [layer.parameter for layer in device.table.layers]
    by_layer = device.table.by_layer(counts)
    for layer, told in zip(study.structure.layers, predicted["layers"], strict=True):
        times = np.repeat(told[::2], told[1::2]) * predicted["unit"]
        assert times == pytest.approx(by_layer[names.index(layer.parameter)], abs=2e-4)


def test_rounding_is_offered_where_the_device_likes_a_multiple(study: Study) -> None:
    data = shown(study)
    predicted, charts = data["table"]["predicted"], data["charts"]
    assert predicted and charts
    rounding = charts["roundings"][-1]
    (device,) = profiled_devices(study).values()
    study.save_constraints(replace(study.constraints, multiple=8))
    rounded = budget_curve(study, "learned")
    assert rounding["multiple"] == 8
    for percent, milliseconds, macs in zip(
        data["table"]["percent"], rounding["latency"], rounding["macs"], strict=True
    ):
        if percent / 100 < rounded.floor:
            assert milliseconds is macs is None
            continue
        network = rounded.table([percent / 100])
        assert milliseconds == pytest.approx(device.table.milliseconds(network.counts)[0], abs=1e-4)
        assert macs == network.macs[0]
    after = shown(study)  # at once, and without measuring
    assert after["charts"] and after["charts"]["roundings"] == []
    assert after["table"]["predicted"] and after["table"]["predicted"]["latency"] != predicted["latency"]


def test_points_that_were_not_timed_stand_at_their_predicted_latency(study: Study) -> None:
    points = frontier_points(measurements(study, chosen_device(study)))
    assert points["latency"].notna().all() and not points["latency_measured"].any()
    assert points["hover"].str.contains(" ms predicted").all()


def test_runs_say_each_value_and_how_often_it_comes() -> None:
    assert value_runs([3, 3, 3, 5, 3]) == [3, 3, 5, 1, 3, 1]


def test_what_was_measured_on_the_device_stands_beside_its_prediction(study: Study) -> None:
    here = Latency(2.5, BOARD.runtime, BOARD.device, BOARD.threads, BOARD.batch, BOARD.machine)
    study.save_points([replace(p, latency=here) for p in study.points if p.ranking in ("learned", "original")])
    data, macs = shown(study), {p.macs for p in study.points}
    table = data["table"]
    measured = [row for row, n in enumerate(table["macs"]) if n in macs]
    assert table["latency_measured"] == measured and len(measured) > 2
    assert [row for row, latency in enumerate(table["latency"]) if latency is not None] == measured
    assert data["original"]["latency"] == 2.5 != data["original"]["predicted"]
    points = frontier_points(measurements(study, chosen_device(study)))
    assert points["latency_measured"].all() and not points["hover"].str.contains("predicted").any()


def test_without_any_measurement_there_are_predictions_still(study: Study) -> None:
    study.save_points([])
    data = shown(study)
    assert data["charts"] and data["charts"]["devices"] == ["A board, 1 thread, ONNX Runtime 1.31"]
    assert data["table"]["predicted"] and "Predicted latency: from the times of the layers" in data["note"]


def test_profiles_of_two_runtimes_stand_beside_each_other_and_the_one_of_exports_is_shown(study: Study) -> None:
    """PyTorch's takes three times as long; its file comes first."""
    add_profile(study, EAGER, name="a-board")
    path = study.path / "profiles" / "a-board.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "fit": {**data["fit"], "scale": 3 * data["fit"]["scale"]}}))
    deployed, eager, timed = device_names(study)
    assert (deployed, eager) == ("A board, 1 thread, ONNX Runtime 1.31", "A board, 1 thread, PyTorch 2.14.1")
    assert timed in measurements(study).devices and chosen_device(study) == deployed
    found = {}
    for device in (deployed, eager):
        stamps = stamp(study), measured_stamp(study)
        data = study_data(str(study.path), "learned", stamps, True, 0.5, None, device, True)
        predicted = data["table"]["predicted"]
        assert predicted and f"the layers in {device.split(', ')[-1]}, in the profile" in data["note"]
        assert measurements(study, device).conditions == profiled_devices(study)[device].profile.conditions
        found[device] = np.array(predicted["latency"])
    assert found[eager] == pytest.approx(3 * found[deployed], abs=5e-4)
