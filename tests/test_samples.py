"""Samples that ship: whole, small, of no machine, and every number tells how it was made."""

import re
from pathlib import Path

import pytest
import torch

from legr.commands.evaluate import evaluate
from legr.commands.finetune import Tuning, finished_finetune
from legr.commands.network import network_at
from legr.commands.original import original
from legr.data.folders import remember_folder
from legr.data.load import load_dataset
from legr.progress import silent
from legr.ranking.constraints import Constraints
from legr.ranking.limits import Budget
from legr.study.catalog import SAMPLES, list_studies
from legr.study.device_profile import readable_devices
from legr.study.records import RANKINGS, Point
from legr.study.store import Study

FLAGSHIP = SAMPLES / "cifar10_resnet56"
BUDGETS = (0.35, 0.7, 0.9)
MEGABYTES = 17  # all samples together; over half are weights of a supernet
CPU = torch.device("cpu")
_A_MACHINE = re.compile(r"(?<![\w.<])/(?:home|root|tmp|work|usr|opt|var|mnt|data|workspace|Users|private)/|\b[A-Z]:\\")


@pytest.fixture(params=list_studies(SAMPLES), ids=lambda path: path.name)
def sample(request: pytest.FixtureRequest) -> Study:
    return Study.open(request.param)


def test_the_flagship_is_the_first_a_newcomer_sees() -> None:
    assert list_studies(SAMPLES)[0] == FLAGSHIP


def test_nothing_in_it_runs_or_names_a_place_of_a_machine(sample: Study) -> None:
    files = [path for path in sample.path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".txt", ".safetensors", ".journal"}
    for path in files:
        assert not _A_MACHINE.search(_text(path)), path


def test_samples_are_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < MEGABYTES * 1e6


def test_every_number_tells_how_it_was_made(sample: Study) -> None:
    assert sample.info.sample and sample.info.weights_origin == "legr" and sample.learned is not None
    told = [
        sample.learned.provenance,
        *(point.provenance for point in sample.points),
        *(run.provenance for run in sample.finetuned),
    ]
    for made in told:
        assert made.seconds is not None
        assert made.command.startswith("python -m legr ") and made.seconds > 0 and made.machine
    for point in sample.points:
        assert point.latency is not None and point.latency.machine and not point.latency.contended


def test_its_runs_are_found_as_finished(sample: Study) -> None:
    """A setting that this version adds leaves their keys as they are."""
    for run in sample.finetuned:
        assert run.budget and run.settings and run.ranking
        found = finished_finetune(sample, run.budget, Tuning(run.settings, run.ranking, run.half, "pruned"))
        assert found is not None and found.top1 == run.top1 and Path(found.weights).stem == run.key


@pytest.mark.slow
def test_its_networks_are_there_and_load(sample: Study) -> None:
    """Of the ranking that is shown; of the others, which are compared with it, the figures alone."""
    model, tuned = original(sample), [point for point in sample.points if point.finetuned]
    assert tuned and all(run.ranking == sample.default_ranking for run in sample.finetuned)
    runs = {run.key for run in sample.finetuned}
    for point in tuned:
        assert point.finetuned is not None
        key = point.finetuned.key if point.finetuned.key in runs else None
        network = network_at(sample, model, Budget(macs=point.budget), ranking=point.ranking, run=key)  # type: ignore[arg-type]
        assert (network.run is not None) == (point.ranking == sample.default_ranking)
        assert (network.macs, network.params) == (point.macs, point.params)
        assert point.top1 > _before(sample, point).top1


def test_the_flagship_is_as_good_as_promised() -> None:
    study = Study.open(FLAGSHIP)
    assert next(point.top1 for point in study.points if point.ranking == "original") >= 0.925
    every = {(ranking, budget) for ranking in RANKINGS for budget in BUDGETS}
    assert study.rankings == list(RANKINGS)
    assert every <= {(point.ranking, point.budget) for point in study.points if not point.finetuned}
    original = _milliseconds(next(point for point in study.points if point.ranking == "original"))
    run = next(run for run in study.finetuned if run.budget and run.budget.latency == 0.5)
    assert run.top1 >= 0.925  # of 92.96 % before it was pruned
    tuned = next(point for point in study.points if point.finetuned and point.finetuned.key == run.key)
    assert original / _milliseconds(tuned) >= 1.9
    (device,) = readable_devices(study, study.structure)
    assert study.constraints == Constraints(multiple=device.profile.multiple, blocks=True)


@pytest.mark.slow
@pytest.mark.needs_data
@pytest.mark.thorough
def test_the_flagship_answers_as_it_says(real_data: Path) -> None:
    """The smallest fine-tuned network, on all test images; another processor rounds a few answers differently."""
    study, folder = Study.open(FLAGSHIP), real_data / "cifar10"
    remember_folder(load_dataset(str(folder), study.info.input_shape).fingerprint, str(folder))
    tuned = (p for p in study.points if p.finetuned and p.ranking == study.default_ranking)
    point = min(tuned, key=lambda point: point.macs)
    found = evaluate(study, Budget(macs=point.budget), point.ranking, True, CPU, silent)  # type: ignore[arg-type]
    assert found.images == point.images == 10_000
    assert abs(found.top1 - point.top1) <= 5 / 10_000


def _milliseconds(point: Point) -> float:
    assert point.latency and point.latency.conditions.runtime.startswith("ONNX Runtime")
    return point.latency.milliseconds


def _text(path: Path) -> str:
    """What a file says: all of it, or the header of tensors."""
    content = path.read_bytes()
    if path.suffix == ".safetensors":
        content = content[8 : 8 + int.from_bytes(content[:8], "little")]
    return content.decode("utf-8")


def _before(sample: Study, tuned: Point) -> Point:
    """The same network as it was before fine-tuning."""
    return next(p for p in sample.points if not p.finetuned and p.keep_id == tuned.keep_id)
