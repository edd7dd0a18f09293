"""Both networks on every test image: the counts are those of the frontier, and nothing is asked twice."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from legr.commands import compare as module
from legr.commands import evaluate as evaluating
from legr.commands import network as network_module
from legr.commands.compare import PICTURE_SIDE, compare, pictures_of, stored_comparison
from legr.commands.create import ImageSource, NetworkSource, create
from legr.commands.export import export
from legr.commands.look import NumberedTestImage, look
from legr.commands.network import Network, NormStatistics, network_at
from legr.commands.original import original
from legr.commands.prediction_results import ComparisonResult
from legr.commands.questions import LookResult
from legr.commands.results import Evaluation
from legr.commands.statistics_cache import recall_statistics, store_statistics
from legr.errors import DataError, StudyError
from legr.models.zoo import build_model
from legr.progress import Progress, silent
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.requests.measure import CompareRequest, LookRequest
from legr.study.catalog import SAMPLES
from legr.study.comparison import load_comparison
from legr.study.records import MAPS
from legr.study.store import Study

CPU = torch.device("cpu")
BUDGET = Budget(macs=0.3)
PRUNED = LookRequest(BUDGET, finetuned=False, device="cpu")
TUNED = CompareRequest(BUDGET, device="cpu")
CUT = replace(TUNED, finetuned=False)
IDENTITY = replace(PRUNED, ranking="identity")
SAMPLE = SAMPLES / "digits-resnet20"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("LEGR_CACHE", str(tmp_path / "cache"))
    study = Study.open(SAMPLE).copy_to(tmp_path / "digits")
    shutil.rmtree(study.path / "statistics")  # as a study that nobody has prepared
    return study


def top1_of(study: Study, finetuned: bool) -> float:
    asked = (study.default_ranking, 0.3, finetuned)
    return next(p.top1 for p in study.points if (p.ranking, p.budget, bool(p.finetuned)) == asked)


@pytest.mark.slow
def test_accuracies_are_those_that_were_measured(study: Study) -> None:
    (original,) = (p for p in study.points if p.ranking == "original")
    for finetuned in (False, True):
        found = compare(study, replace(CUT, finetuned=finetuned), CPU, silent)
        assert found.both + found.only_original + found.only_pruned + found.neither == original.images
        assert found.top1_original == pytest.approx(original.top1, abs=1e-12)
        assert found.top1 == pytest.approx(top1_of(study, finetuned), abs=1e-12)
        assert found.finetuned == finetuned and found.images == 359


def learn_again(study: Study) -> Study:
    """Other filters go first from now on."""
    learned = study.learned
    assert learned is not None
    study.save_learned(replace(learned, alpha=learned.alpha[::-1], kappa=learned.kappa[::-1]))
    return Study.open(study.path)


@pytest.mark.slow
def test_the_network_of_a_run_is_had_by_its_key_after_learning_again(study: Study, without_onnx: None) -> None:
    run = study.best_finetuned(study.curve().at(BUDGET))
    assert run is not None
    study = learn_again(study)
    assert study.best_finetuned(study.curve().at(BUDGET)) is None
    found = compare(study, replace(TUNED, run=run.key), CPU, silent)
    assert found.top1 == pytest.approx(run.top1, abs=1e-12) and found.macs_fraction == run.macs_fraction
    assert stored_comparison(study, replace(TUNED, run=run.key)) == found
    assert stored_comparison(study, TUNED) is None
    seen = look(study, LookRequest(BUDGET, device="cpu", run=run.key), NumberedTestImage(1), silent)
    assert seen.finetuned and seen.macs_fraction == run.macs_fraction
    request = ExportRequest(BUDGET, study.path / "exports" / "a", run=run.key)
    exported = export(study, request, silent)
    assert exported.finetuned and exported.macs_fraction == run.macs_fraction
    as_pruned = export(study, replace(request, finetuned=False), silent)
    assert not as_pruned.finetuned and as_pruned.macs == exported.macs


def test_a_run_that_is_not_there_or_whose_kept_set_is_lost_is_one_sentence(study: Study) -> None:
    with pytest.raises(StudyError, match="no fine-tuning run 'nothing'"):
        stored_comparison(study, replace(TUNED, run="nothing"))
    run = study.finetuned[0]
    study = learn_again(study)
    study.save_finetuned(replace(run, kept=""))
    with pytest.raises(StudyError, match="kept set of the run"):
        stored_comparison(study, replace(TUNED, run=run.key))


@pytest.mark.slow
def test_nothing_is_asked_twice(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    predict = module._predict
    monkeypatch.setattr(module, "_predict", lambda *given: (asked.append(1), predict(*given))[1])
    first = compare(study, CUT, CPU, silent)
    assert len(asked) == 2
    assert compare(study, CUT, CPU, silent) == first and len(asked) == 2
    assert stored_comparison(study, replace(CUT, ranking="learned-ms")) == first
    assert stored_comparison(study, TUNED) is None  # other weights
    compare(study, TUNED, CPU, silent)
    assert len(asked) == 3  # the original's answers are shared
    assert stored_comparison(study, replace(CUT, budget=Budget(macs=0.5))) is None
    (study.path / "compared" / f"{first.comparison}.safetensors").write_bytes(b"torn")
    assert stored_comparison(study, CUT) is None
    assert compare(study, CUT, CPU, silent) == first


@pytest.mark.slow
def test_what_was_done_before_an_interruption_is_kept(study: Study) -> None:
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if sum(step.stage == "test image" and step.done == step.total for step in seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(study, CUT, CPU, stop)
    assert [path.name for path in (study.path / "compared").iterdir()] == ["original.safetensors"]
    written = (study.path / "compared" / "original.safetensors").stat().st_mtime_ns
    found = compare(study, CUT, CPU, silent)
    assert found.differ > 0
    assert (study.path / "compared" / "original.safetensors").stat().st_mtime_ns == written


@pytest.mark.slow
def test_pictures_are_those_of_the_test_images(study: Study) -> None:
    from legr.commands.images import images_of

    name = compare(study, CUT, CPU, silent).comparison
    found = load_comparison(study, name)
    assert found is not None
    test = images_of(study).test
    assert np.array_equal(found.labels, test.labels.numpy())
    assert np.array_equal(found.numbers, np.flatnonzero(found.differ))
    assert np.array_equal(found.pictures, test.images.numpy()[found.numbers])


def test_large_pictures_are_made_small() -> None:
    images = torch.randint(0, 256, (3, 3, 96, 160), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    small = pictures_of(images)
    assert small.shape == (3, 3, round(96 * PICTURE_SIDE / 160), PICTURE_SIDE) and small.dtype == np.uint8
    picture = Image.fromarray(images[0].permute(1, 2, 0).numpy()).resize((64, 38), Image.Resampling.BILINEAR)
    assert np.abs(np.asarray(picture).transpose(2, 0, 1).astype(int) - small[0]).max() <= 1
    assert np.array_equal(pictures_of(images[:, :, :32, :64]), images[:, :, :32, :64].numpy())
    assert pictures_of(images[:0]).shape[0] == 0


@pytest.mark.slow
def test_a_look_at_a_test_image_answers_as_the_comparison_does(study: Study) -> None:
    name = compare(study, CUT, CPU, silent).comparison
    stored = load_comparison(study, name)
    assert stored is not None
    for number in (1, int(stored.numbers[0]) + 1):
        found = look(study, PRUNED, NumberedTestImage(number), silent)
        assert found.label == stored.labels[number - 1] and found.test_images == 359
        for side in ("original", "pruned"):
            answers = getattr(stored, side)
            assert [answer.index for answer in getattr(found, side)] == answers.classes[number - 1].tolist()
            shares = [answer.probability for answer in getattr(found, side)]
            assert shares == pytest.approx(answers.probabilities[number - 1].tolist(), abs=1e-4)


@pytest.mark.slow
@pytest.mark.thorough
def test_statistics_are_those_of_the_images_as_this_study_sees_them(study: Study, tmp_path: Path) -> None:
    """Studies of one network may differ in normalisation: what one chose is not the other's."""
    look(study, IDENTITY, NumberedTestImage(3), silent)
    source = NetworkSource(study.info.model, study.weights_path)
    other = create(tmp_path / "other", source, ImageSource("digits", "imagenet"), silent)
    found = look(other, IDENTITY, NumberedTestImage(3), silent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEGR_CACHE", str(tmp_path / "empty"))
        assert look(other, IDENTITY, NumberedTestImage(3), silent).pruned == found.pruned
        kept = look(study, IDENTITY, NumberedTestImage(3), silent).pruned
    assert kept != found.pruned


@pytest.mark.slow
@pytest.mark.thorough
def test_statistics_are_chosen_once_and_go_where_the_study_goes(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "image"
    Image.effect_noise((40, 30), 80).save(image, "PNG")

    def ask(of: Study) -> LookResult:
        return look(of, PRUNED, image, silent)

    def no_images(*_: object) -> None:
        raise DataError("the images are not here")

    known = ask(study)
    assert known.statistics_known and known.recalibrated
    assert not (study.path / "statistics").exists()  # a look leaves the study as it is
    with monkeypatch.context() as patch:
        patch.setattr("legr.commands.look.images_of", no_images)
        assert ask(study) == known  # this machine remembers
        patch.setenv("LEGR_CACHE", str(tmp_path / "another machine"))
        unknown = ask(study)
        assert not unknown.statistics_known and unknown.original == known.original
        assert unknown.pruned != known.pruned
    compare(study, CUT, CPU, silent)
    monkeypatch.setattr("legr.commands.look.images_of", no_images)
    monkeypatch.setenv("LEGR_CACHE", str(tmp_path / "a third machine"))
    copy = shutil.copytree(study.path, tmp_path / "moved")
    assert ask(Study.open(copy)) == known
    (statistics,) = (copy / "statistics").iterdir()
    statistics.write_bytes(b"torn")
    assert ask(Study.open(copy)) == unknown


def test_statistics_are_read_again_by_a_network_that_asks_for_its_version(study: Study) -> None:
    """MNASNet wants to know by which version its state was written, and a file of tensors does not tell."""
    network = network_at(study, original(study), BUDGET, finetuned=False)
    network = replace(network, model=build_model("mnasnet0_5", 10).eval())
    store_statistics(study, network.with_statistics(network.model, recalibrated=True))
    found = recall_statistics(study, network, lambda: pytest.fail("the images are not needed"), CPU)
    assert found.statistics is NormStatistics.RECALIBRATED


@pytest.mark.slow
@pytest.mark.parametrize("command", ["compare", "evaluate", "look"])
def test_a_search_that_ends_meanwhile_does_not_rename_the_network(
    study: Study, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned = study.learned
    assert learned is not None
    for name in MAPS.values():
        (study.path / name).unlink()
    study = Study.open(study.path)

    def ends_a_search(study: Study, *arguments: Any, **options: Any) -> Network:
        network = network_at(study, *arguments, **options)
        study.save_learned(learned)
        return network

    for used in (network_module, evaluating):  # where each command finds its network
        monkeypatch.setattr(used, "network_at", ends_a_search)
    calls: dict[str, Callable[[], ComparisonResult | Evaluation | LookResult]] = {
        "compare": lambda: compare(study, CUT, CPU, silent),
        "evaluate": lambda: evaluating.evaluate(study, BUDGET, None, False, CPU, silent),
        "look": lambda: look(study, PRUNED, NumberedTestImage(1), silent),
    }
    assert calls[command]().ranking == "identity"
    assert study.default_ranking == "learned-ms"
