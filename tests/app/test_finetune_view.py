"""Fine-tuning on the page: what a job was asked for, in words; finished runs side by side."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.finetune_view import run_name, runs_info, settings_of
from legr.jobs.records import Job
from legr.study.store import Study
from legr.training.settings import RECIPES
from tests.app.conftest import OpenApp
from tests.app.demo_study import add_finetuned


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--macs", "0.5"), RECIPES["short"]),
        (("--macs", "0.5", "--epochs", "3", "--no-distill"), replace(RECIPES["short"], epochs=3, distill=False)),
        (("--macs", "0.5", "--recipe", "paper", "--seed", "7"), replace(RECIPES["paper"], seed=7)),
        (("--macs", "0.5", "--recipe", "paper", "--distill"), replace(RECIPES["paper"], distill=True)),
        (
            ("--option", "average=0.9", "--macs", "0.5", "--option", "clip=2"),
            replace(RECIPES["short"], average=0.9, clip=2),
        ),
    ],
)
def test_a_job_tells_how_it_trains(arguments: tuple[str, ...], expected: object) -> None:
    assert settings_of(Job("finetune-1", "finetune", arguments, "cpu")) == expected


def test_runs_are_compared_once_there_are_two(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    at = open_app("finetune")
    assert not at.exception and "see its curve, and" in " ".join(caption.value for caption in at.caption)
    second = add_finetuned(study, budget=0.3, top1=0.85)
    at = open_app("finetune")
    assert not at.exception and "of several in one chart" in " ".join(caption.value for caption in at.caption)
    assert run_name(second).endswith("%, 3 epochs")
    plain = replace(second, settings={"distill": False, "seed": 4})
    assert run_name(plain).endswith("%, 3 epochs, no teacher, seed 4")
    assert run_name(replace(second, ranking="uniform")).endswith("%, uniform, 3 epochs")
    assert runs_info([second, replace(second, ranking="identity")])["Ranking"].tolist() == ["Identity", "–"]
