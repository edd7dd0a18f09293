"""Training every budget on the page: the request that its button starts, its progress, and what has come of it."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.navigation import steps_done
from app.views.supernet import supernet_expectation
from legr.study.provenance import Provenance
from legr.study.store import Study
from legr.study.supernets import save_supernet
from legr.training.supernet_settings import SupernetSettings
from tests.app.conftest import OpenApp
from tests.app.demo_study import add_supernet
from tests.app.test_job_panel import alive, progress, write_job
from tests.app.test_starting_jobs import Started, press, started

__all__ = ["started"]  # a fixture


def captions(at: AppTest) -> list[str]:
    return [caption.value for caption in at.caption]


def test_the_button_trains_every_budget_of_the_shown_ranking(
    open_app: OpenApp, studies: Path, started: Started
) -> None:
    at = open_app("finetune", ranking="identity")
    press(at, "Train every budget")
    assert started == [(studies / "demo", "supernet", ["--ranking", "identity"])]
    at.number_input(key="supernet-epochs").set_value(40).run()
    at.number_input(key="supernet-smallest").set_value(15.0).run()
    press(at, "Train every budget")
    assert started[1][2] == ["--epochs", "40", "--smallest", "0.15", "--ranking", "identity"]
    at.multiselect(key="supernet-sizes").set_value([16, 28]).run()
    press(at, "Train every budget")
    chosen = ["--epochs", "40", "--smallest", "0.15", "--sizes", "32,28,16", "--ranking", "identity"]
    assert started[2][2] == chosen


def test_an_expected_time_follows_what_a_step_trains(studies: Path) -> None:
    """Three epochs of fine-tuning at half of the MACs took 75 s, so one of the whole network would take 50 s."""
    study = Study.open(studies / "demo")
    settings = SupernetSettings(epochs=9, smallest=0.5, networks=1, whole_every=1)
    work = 0.5 + 0.5 / 0.6931 + 1  # the smallest, one between on a logarithm, the whole one
    (run,) = study.finetuned
    seconds = 25 / run.macs_fraction * work * 9
    said = f"About {seconds / 60:.0f} min: 3 epochs of fine-tuning at 50 % took 75 s."
    assert supernet_expectation(study, settings) == said
    supernet = replace(add_supernet(study), settings=settings)
    save_supernet(study, supernet)  # three epochs took 90 s
    assert supernet_expectation(study, settings) == "About 4 min: 3 epochs took 2 min."
    save_supernet(study, replace(supernet, provenance=Provenance(machine="a Jetson"), seconds=30.0))
    assert supernet_expectation(study, settings) == "About 2 min: 3 epochs took 30 s on a Jetson."


def test_nothing_is_expected_where_nothing_was_trained(studies: Path) -> None:
    assert supernet_expectation(Study.open(studies / "plain"), SupernetSettings()) == ""


def test_a_training_at_work_shows_its_curve_and_no_second_button(open_app: OpenApp, studies: Path) -> None:
    rows = tuple({"done": n, "loss": 1 / n, "heldout_top1": 0.8} for n in (1, 2))
    write_job(
        studies / "demo", "supernet", state="running", stage="epoch", done=2, total=10, history=rows,
        arguments=("--smallest", "0.2", "--ranking", "learned"), **alive(),
    )  # fmt: skip
    at = open_app("finetune")
    assert progress(at) == "Epoch 2 of 10"
    assert "**In training: every budget of the learned ranking from 20 % up**" in [m.value for m in at.markdown]
    assert not any(button.label == "Train every budget" for button in at.button)
    assert any("The training of every budget runs in the background" in line for line in captions(open_app("explore")))


def test_a_finished_one_says_what_it_reaches_and_leads_to_explore(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    run = add_supernet(study, budgets=(1.0, 0.5, 0.2), lost=0.05)
    result = {
        "ranking": "learned", "smallest": run.smallest, "epochs": 3, "seconds": 90.0, "calibration": "plain",
        "weights": str(study.path / "supernets" / "together.safetensors"), "points": [],
    }  # fmt: skip
    write_job(studies / "demo", "supernet", state="done", finished=time.time(), result=result)
    at = open_app("finetune")
    low, high = (100 * point.top1 for point in (run.points[2], run.points[1]))
    smallest = 100 * run.smallest
    assert [message.value for message in at.success] == [
        f"Every budget of the learned ranking from {smallest:.0f} % up is trained, and can be taken along at once. "
        f"It was measured at 2: {low:.1f} to {high:.1f} % top-1."
    ]
    assert any(m.value.startswith("**Trained last: every budget") for m in at.markdown) and not at.exception
    assert not open_app("finetune", ranking="identity").success


def test_a_supernet_of_a_former_order_is_named(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    save_supernet(study, replace(add_supernet(study), ranking_id="former"))
    at = open_app("finetune")
    assert "A supernet of a former order is kept (together)." in captions(at) and not at.success


@pytest.mark.parametrize("has_supernet", [False, True])
def test_the_step_is_done_once_something_is_trained(studies: Path, has_supernet: bool) -> None:
    study = Study.open(studies / "plain")
    if has_supernet:
        add_supernet(study)
    assert ("pages/finetune.py" in steps_done(study)) is has_supernet


def test_fine_tuning_says_that_it_begins_with_shared_weights(open_app: OpenApp, studies: Path) -> None:
    said = "It begins with weights that were trained together."
    assert not any(said in caption for caption in captions(open_app("finetune", budget="50")))
    add_supernet(Study.open(studies / "demo"))
    assert any(said in caption for caption in captions(open_app("finetune", budget="50")))
