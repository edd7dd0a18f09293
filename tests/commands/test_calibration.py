"""The images that batch norms are recalibrated on are chosen once, and every command uses the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from legr.commands.calibration import calibration_of, judge
from legr.commands.compare import compare, stored_comparison
from legr.commands.evaluate import evaluate
from legr.commands.export import export
from legr.commands.images import images_of
from legr.commands.learn import search_of
from legr.commands.measure import measure
from legr.commands.network import choose_statistics, network_at
from legr.commands.original import original
from legr.commands.statistics_cache import recall_statistics
from legr.progress import silent
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.requests.measure import CompareRequest, MeasureRequest
from legr.study.calibration_choice import CalibrationChoice, read_choice, write_choice
from legr.study.comparison import list_compared
from legr.study.records import SearchSettings
from legr.study.store import Study
from legr.training.batch_norm import recalibrated, statistics_of
from legr.training.calibration import PLAIN, Calibration

CPU = torch.device("cpu")
HALF = Budget(macs=0.5)
CUT, WHOLE = (CompareRequest(budget, finetuned=False, device="cpu") for budget in (HALF, Budget(macs=1.0)))
BLACK = Calibration("augmented", "black")
CHOICE = CalibrationChoice("augmented", "black", 100, True, (), {}, {})


@pytest.fixture
def study(study_path: Path, own_folders: Path) -> Study:
    """As with weights that were trained, so that there is something to choose."""
    return Study.open(study_path).with_info(weights_origin="elsewhere")


@pytest.fixture
def always_recalibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(model, dataset, normalization, *, device, calibration):  # type: ignore[no-untyped-def]
        return recalibrated(model, dataset, normalization, device=device, calibration=calibration, n_images=128), True

    monkeypatch.setattr("legr.commands.network.with_better_statistics", copied)


def expected_statistics(study: Study, calibration: Calibration) -> dict[str, Tensor]:
    model, dataset = network_at(study, original(study), HALF).model, images_of(study)
    return statistics_of(
        recalibrated(model, dataset, study.info.normalization, device=CPU, calibration=calibration, n_images=128)
    )


@pytest.mark.slow
def test_the_first_need_chooses_and_all_others_take_it(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRAINING_IMAGES", "_BORDER_IMAGES"):
        monkeypatch.setattr(f"legr.training.choose_calibration.{name}", 128)
    network, dataset = network_at(study, original(study), HALF), images_of(study)
    choose_statistics(study, network, dataset, CPU)
    choice = read_choice(study.path)
    assert choice is not None and choice.heldout_seen
    assert choice.heldout_images == len(dataset.heldout)
    assert [judged.budget for judged in choice.networks] == [1.0, 0.7, 0.5, 0.3]
    assert all(set(judged.top1) == {"given", "plain", "augmented", "both"} for judged in choice.networks)
    assert "evaluate --study digits8 --macs 0.3" in choice.provenance.command
    again = judge(study, dataset, CPU)
    assert again is not None and replace(again, provenance=choice.provenance) == choice
    monkeypatch.setattr("legr.commands.calibration.judge", lambda *_: pytest.fail("it was chosen already"))
    assert calibration_of(study, dataset, CPU) == choice.calibration


@pytest.mark.usefixtures("always_recalibrated", "without_onnx")
def test_what_is_exported_has_the_statistics_that_are_evaluated(study: Study, tmp_path: Path) -> None:
    write_choice(study.path, CHOICE)
    result = evaluate(study, HALF, None, True, CPU, silent)
    assert (result.recalibrated, result.calibration) == (True, "augmented-black")
    exported = export(study, ExportRequest(HALF, tmp_path / "out"), silent)
    assert exported.calibration == "augmented-black"
    found, expected = load_file(exported.weights), expected_statistics(study, BLACK)
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert not torch.equal(found["bn1.running_mean"], expected_statistics(study, PLAIN)["bn1.running_mean"])
    readme = (tmp_path / "out" / "README.txt").read_text()
    assert "recalibrated on augmented training images (cropped from a border of black)." in readme


@pytest.mark.usefixtures("always_recalibrated")
def test_kept_statistics_are_those_of_the_choice(study: Study) -> None:
    """What this machine remembers of plain images is not taken for other images."""
    for choice, calibration in ((replace(CHOICE, images="plain"), PLAIN), (CHOICE, BLACK)):
        write_choice(study.path, choice)
        for _ in range(2):  # chosen, then remembered
            network = network_at(study, original(study), HALF)
            found = recall_statistics(study, network, lambda: images_of(study), CPU)
            assert found.calibration.key == calibration.key
            expected = expected_statistics(study, calibration)
            assert all(torch.equal(value, expected[name]) for name, value in statistics_of(found.model).items())


@pytest.mark.slow
@pytest.mark.usefixtures("always_recalibrated")
def test_measured_points_say_what_they_were_measured_with(study: Study) -> None:
    write_choice(study.path, CHOICE)
    found = measure(study, MeasureRequest((0.5,)), CPU, silent)
    assert found.calibration == "augmented-black"
    assert {p.calibration for p in found.points if p.ranking != "original"} == {"augmented-black"}
    write_choice(study.path, replace(CHOICE, images="plain"))
    assert [p.ranking for p in study.points] == ["original"]  # the others are of other conditions
    again = measure(study, MeasureRequest((0.5,)), CPU, silent)
    assert again.measured == 2 and {p.calibration for p in again.points} == {"plain"}


@pytest.mark.slow
@pytest.mark.usefixtures("always_recalibrated")
def test_a_comparison_of_other_images_is_made_again(study: Study) -> None:
    write_choice(study.path, replace(CHOICE, images="plain"))
    plain = compare(study, CUT, CPU, silent)
    assert stored_comparison(study, CUT) == plain
    write_choice(study.path, CHOICE)
    assert stored_comparison(study, CUT) is None and list_compared(study) == []
    assert compare(study, CUT, CPU, silent).calibration == "augmented-black"
    assert stored_comparison(study, CUT) is not None
    whole = compare(study, WHOLE, CPU, silent)  # the original keeps its own
    assert stored_comparison(study, WHOLE) == whole


def test_a_search_with_recalibrated_statistics_takes_the_choice(study: Study) -> None:
    losses = {}
    for images in ("plain", "augmented", "given"):
        write_choice(study.path, replace(CHOICE, images=images))
        fitness = search_of(study, SearchSettings(statistics="recalibrated"), CPU).fitness
        losses[images] = fitness([study.curve().at(HALF)]).losses.mean()
    assert losses["plain"] == losses["given"] != losses["augmented"]  # recalibrated is what its settings say


def test_a_network_without_batch_norms_has_nothing_to_choose(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    network = replace(network_at(study, original(study), HALF), model=nn.Linear(1, 1))
    assert not choose_statistics(study, network, images_of(study), CPU).recalibrated
    assert read_choice(study.path) is None


def test_a_folder_that_cannot_be_written_is_no_obstacle(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("legr.commands.calibration.judge", lambda *_: CHOICE)
    monkeypatch.setattr("legr.commands.calibration.write_choice", full)
    assert calibration_of(study, images_of(study), CPU) == BLACK
