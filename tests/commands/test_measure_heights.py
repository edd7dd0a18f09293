"""Networks measured with images of several heights, with and without a supernet."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from legr.commands import measure as measuring
from legr.commands import timing
from legr.commands.evaluate import evaluate
from legr.commands.measure import is_measured, measure
from legr.commands.measure_heights import targets_at
from legr.errors import SettingsError
from legr.progress import silent
from legr.ranking.limits import Budget
from legr.requests.measure import MeasureRequest
from legr.structure.cost import cost
from legr.study.heights import structures_by_height
from legr.study.scaled import scaled_points
from legr.study.store import Study, keep_id
from legr.study.supernets import points_by_network, supernets
from legr.training.supernet_settings import SupernetSettings
from tests.commands.supernet_study import with_supernet

CPU = torch.device("cpu")
SIZES = MeasureRequest((0.6,), runtime="pytorch", sizes=(32, 24, 16))

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_TURNS", 1)
    monkeypatch.setattr(timing, "_FURTHER_TURNS", 0)
    monkeypatch.setattr(timing, "_SECONDS_A_TURN", 0.0)


@pytest.fixture(scope="module")
def trained(made_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = SupernetSettings(epochs=1, batch=128, smallest=0.4, networks=1, norms=2, sizes=(32, 24))
    return with_supernet(made_study, tmp_path_factory.mktemp("sizes") / "study", settings, 3)


@pytest.fixture
def study(trained: Path, tmp_path: Path, own_folders: Path) -> Iterator[Study]:
    shutil.copytree(trained, tmp_path / "study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("legr.commands.measure_heights.MEASURED", 3)
        patch.setattr(measuring, "BUDGETS", (0.6,))
        yield Study.open(tmp_path / "study")


def test_networks_are_timed_and_scored_at_each_size_as_evaluate_does(study_path: Path, own_folders: Path) -> None:
    study = Study.open(study_path)
    assert not is_measured(study, SIZES, CPU)
    found = measure(study, SIZES, CPU, silent)
    assert (found.measured, found.skipped) == (3 + 4, 0)  # the original and two rankings; whole and at 60 %, two sizes
    assert is_measured(study, SIZES, CPU) and found.scaled == tuple(scaled_points(study))
    assert [(point.height, point.ranking, point.supernet) for point in found.scaled] == (
        [(24, "identity", "")] * 2 + [(16, "identity", "")] * 2
    )
    for point in found.scaled:
        alone = evaluate(study, Budget(macs=point.macs_fraction), None, True, CPU, silent, height=point.height)
        assert (point.top1, point.loss, point.images) == (alone.top1, alone.loss, alone.images)
        assert (point.macs, point.params, point.recalibrated) == (alone.macs, alone.params, alone.recalibrated)
        assert point.latency.milliseconds > 0 and point.latency.runtime.startswith("PyTorch")
        assert "--sizes 32,24,16" in point.provenance.command
    known = structures_by_height(study)
    for point in found.scaled:
        keep = study.curve("identity").at(macs=point.macs_fraction)
        assert cost(known[point.height], keep).macs == point.macs
    again = measure(study, SIZES, CPU, silent)
    assert (again.measured, again.skipped, again.scaled) == (0, 7, found.scaled)
    assert not is_measured(study, MeasureRequest((0.6,), runtime="pytorch", threads=2, sizes=(24,)), CPU)


def test_networks_of_a_supernet_keep_the_accuracy_of_its_record(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = supernets(study)
    found = measure(study, MeasureRequest(runtime="pytorch", sizes=(32, 24)), CPU, silent).scaled
    assert {point.supernet for point in found} == {run.key}
    own, small = points_by_network(run, 32), points_by_network(run, 24)
    assert len(found) == len(own) - 1 + len(small)  # the whole network at its own size is the original
    for point in found:
        known = (own if point.height == 32 else small)[point.keep_id]
        assert (point.top1, point.loss, point.macs) == (known.top1, known.loss, known.macs)


def test_sizes_that_a_supernet_was_not_measured_at_are_scored_with_its_weights(study: Study) -> None:
    (run,) = supernets(study)
    measure(study, MeasureRequest((0.6,), runtime="pytorch", sizes=(20,)), CPU, silent)
    whole, cut = sorted(scaled_points(study), key=lambda point: -point.macs)
    assert (whole.supernet, cut.supernet) == ("", run.key)  # it has trained the whole network at 32 and 24 alone
    alone = evaluate(study, Budget(macs=cut.macs_fraction), None, True, CPU, silent, height=20)
    assert (cut.top1, cut.macs, alone.supernet) == (alone.top1, alone.macs, run.key)


def test_the_whole_network_has_the_weights_of_a_supernet_at_other_sizes_that_it_was_trained_on(study: Study) -> None:
    (run,) = supernets(study)
    known = points_by_network(run, 24)[run.points[0].keep_id]
    found = evaluate(study, Budget(macs=1.0), None, True, CPU, silent, height=24)
    assert (found.top1, found.supernet) == (known.top1, run.key)
    for height in (None, 32, 20):
        assert evaluate(study, Budget(macs=1.0), None, True, CPU, silent, height=height).supernet == ""


def test_a_size_that_the_network_cannot_take_is_refused_before_anything_is_timed(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise SettingsError("size must be a height of images that the network can take, got 24 (too small)")

    monkeypatch.setattr("legr.commands.measure_heights.require_heights", fails)
    monkeypatch.setattr(measuring, "in_turns", None)
    with pytest.raises(SettingsError, match="got 24"):
        measure(study, SIZES, CPU, silent)
    assert not study.points and not scaled_points(study)


def test_rankings_without_a_supernet_are_left_out_beside_the_default_one(study_path: Path) -> None:
    study = Study.open(study_path)
    planned = [("original", 1.0), ("identity", 0.6), ("identity", 0.6001), ("uniform", 0.6)]
    targets = targets_at(study, planned, (32, 24, 24), chosen=True)  # type: ignore[arg-type]
    assert [(target.ranking, target.height, target.keep.units.all()) for target in targets] == [
        ("identity", 24, True), ("identity", 24, False),
    ]  # fmt: skip
    assert keep_id(targets[1].keep) == keep_id(study.curve("identity").at(macs=0.6))
