"""What is known of networks with images of other heights: of supernets' records, and of points that were measured."""

from dataclasses import replace
from pathlib import Path

import pytest

from legr.charts.measurements import measurements_of
from legr.ranking.limits import Budget
from legr.study.latency import Latency
from legr.study.records import FineTuned
from legr.study.scaled import ScaledPoint, add_scaled
from legr.study.sized import own_latencies, sized_networks
from legr.study.store import Study, keep_id
from legr.study.supernets import SupernetPoint, SupernetRun, save_supernet, weights_path
from legr.study.trained import chosen_network
from legr.training.supernet_settings import SupernetSettings

HERE = Latency(1.5, "PyTorch", "cpu", 1, 1, "Robot")
POINT = ScaledPoint("identity", "", "a" * 12, 24, "", 50, 9, 0.5, 0.6, 0.7, 10, True, "plain", HERE)


@pytest.fixture
def study(study_path: Path) -> Study:
    """With a supernet that was measured at 32 and 24 pixels."""
    study = Study.open(study_path)
    networks = [SupernetPoint("a" * 12, 88 * side // 32, 9, 0.5, side, 0.8, 0.7, 10) for side in (32, 24)]
    facts = 0.5, SupernetSettings(), 0.5, 1, 9.0, "plain", tuple(networks)
    save_supernet(study, SupernetRun("abc", "identity", "", *facts))
    weights_path(study, "abc").touch()
    return study


def test_a_network_has_the_weights_of_a_supernet_where_that_was_measured(study: Study) -> None:
    add_scaled(study, [POINT, replace(POINT, height=20)])
    found = sized_networks(study)
    assert [(network.height, network.supernet, network.top1) for network in found] == [(24, "abc", 0.8), (20, "", 0.6)]
    assert found[0].latencies == () and found[1].latency(HERE.conditions) == HERE
    assert measurements_of(study, study.curve).sized == found


def test_a_supernet_goes_before_a_run_with_images_of_another_height(study: Study) -> None:
    curve = study.curve("identity")
    keep = curve.at(macs=0.7)
    run = FineTuned("run", keep_id(keep), 0.7, None, 0.3, 0.9, 0.9, 1, 1.0, ranking="identity")
    study.save_finetuned(run)
    study.finetuned_weights(run.key).touch()
    chosen = {h: chosen_network(study, Budget(macs=0.7), "identity", height=h).run for h in (None, 32, 24)}
    assert {height: one.key if one else "" for height, one in chosen.items()} == {None: "run", 32: "run", 24: "abc"}
    small = Budget(macs=0.3)  # smaller than any that the supernet has trained
    assert chosen_network(study, small, "identity", height=24).run is None
    whole = [chosen_network(study, Budget(macs=1.0), "identity", height=h).run for h in (None, 32, 20, 24)]
    assert [one.key if one else "" for one in whole] == ["", "", "", "abc"]  # it was trained at 24


def test_latencies_of_other_conditions_stand_beside_and_the_latest_of_the_same_counts(study: Study) -> None:
    shared = replace(POINT, supernet="abc", top1=0.8)
    threads = replace(HERE, threads=2)
    add_scaled(study, [shared, replace(shared, latency=threads)])
    add_scaled(study, [replace(shared, latency=(again := replace(HERE, milliseconds=1.25)))])
    (network,) = sized_networks(study)
    assert set(network.latencies) == {threads, again} and network.latency(HERE.conditions) == again
    assert network.latency(replace(HERE, batch=2).conditions) is None


def test_a_latency_with_the_studys_own_images_is_one_of_the_network(study: Study) -> None:
    add_scaled(study, [replace(POINT, height=32, supernet="abc")])
    assert own_latencies(study) == {"a" * 12: (HERE,)}
    assert [network.height for network in sized_networks(study)] == [24]
    measured = measurements_of(study, study.curve)
    assert (measured.height, measured.own_latencies) == (32, {"a" * 12: (HERE,)})
