"""Accuracy of trained networks along a ranking, on a curve of which a budget's MACs are known."""

from dataclasses import replace

import pytest

from legr.charts.measurements import Reading, measurements_of
from legr.charts.trained import finetuned_top1, together_top1
from legr.study.known import KnownNetwork
from legr.study.records import FineTuned
from legr.study.store import Study
from legr.study.supernets import SupernetRun, smallest_macs
from tests.app.demo_study import add_supernet, make_study


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, SupernetRun]:
    study = make_study(tmp_path_factory.mktemp("studies") / "tiny")
    return study, add_supernet(study, budgets=(1.0, 0.6, 0.3))


def test_only_points_of_the_own_size_of_the_best_supernet_of_today_count(trained: tuple[Study, SupernetRun]) -> None:
    study, run = trained
    found = measurements_of(study, study.curve).supernets
    assert list(found) == ["learned"]
    assert found["learned"].points == run.points[:3]  # the last is of smaller images


def test_of_a_supernet_the_whole_network_and_what_it_has_not_trained_have_no_accuracy(
    trained: tuple[Study, SupernetRun],
) -> None:
    study, _ = trained
    curve, supernet = study.curve("learned"), measurements_of(study, study.curve).supernets["learned"]
    whole, middle, least = supernet.points
    read = together_top1(curve, supernet)
    assert read(whole.macs) is None and read(least.macs - 1) is None
    assert read(middle.macs) == Reading(middle.top1, True, together=True)
    half = read((least.macs + middle.macs) // 2)
    assert half and half.value == pytest.approx((least.top1 + middle.top1) / 2, abs=1e-3)
    assert half.together and not half.measured
    assert together_top1(curve, None)(middle.macs) is None


def test_the_line_between_trained_networks_does_not_reach_to_the_original_trained_once_more() -> None:
    run = FineTuned("run", "k", 0.3, None, 0.3, 0.8, 0.8, 1, 1.0)
    known = {
        macs: KnownNetwork(f"net-{macs}", macs / 100, runs=(replace(run, top1=top1),))
        for macs, top1 in ((30, 0.8), (50, 0.9), (100, 0.96))
    }
    read = finetuned_top1(known, lambda macs: None)
    assert [read(macs) for macs in (30, 50, 100)] == [Reading(top1, True) for top1 in (0.8, 0.9, 0.96)]
    half = read(40)
    assert half and half.value == pytest.approx(0.85) and not half.measured
    assert read(75) is None


def test_the_smallest_network_is_served_whatever_rounding_does_to_its_share(
    trained: tuple[Study, SupernetRun],
) -> None:
    _, run = trained
    for macs in range(10_000, 10_200):
        for whole in (40_813, 125_485_706):
            points = (*run.points[:-1], replace(run.points[-1], macs_fraction=macs / whole))
            assert smallest_macs(replace(run, points=points), whole) == macs
