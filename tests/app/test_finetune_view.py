"""Fine-tuning on the page: what a job was asked for, in words; finished runs side by side."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from app.views.finetune import (
    before_and_after,
    changed_note,
    expectation,
    listed,
    original_line,
    run_name,
    runs_table,
    start_line,
)
from legr.charts.style import COLOURS
from legr.charts.training import runs_figure, training_description, training_table
from legr.ranking.constraints import Constraints
from legr.ranking.limits import Budget
from legr.requests.again import command_again
from legr.requests.train import FinetuneRequest
from legr.study.provenance import Provenance
from legr.study.records import FineTuned
from legr.study.store import Study, keep_id
from legr.training.settings import RECIPES, settings_of_recipe
from tests.app.conftest import OpenApp
from tests.app.demo_study import add_finetuned, add_supernet

HALF, LESS = Budget(macs=0.5), Budget(macs=0.4)


def noted_by_an_earlier_version(run: FineTuned, command: str) -> FineTuned:
    """A run whose record tells in its command alone what was rounded, and to which budget it was pruned."""
    data = {name: value for name, value in run.to_dict().items() if name not in ("half", "budget")}
    return FineTuned.from_dict({**data, "made": {"command": command}})


def test_runs_are_listed_by_budget_and_drawn_in_our_colours(studies: Path) -> None:
    study = Study.open(studies / "demo")
    runs = [add_finetuned(study, budget) for budget in (0.7, 0.3, 0.5)]
    newer = replace(runs[1], key="newer")
    assert [run.key for run in listed([*runs, newer])] == ["newer", "run-0.3", "run-0.5", "run-0.7"]
    assert runs_table([*runs, newer])["MACs, %"].is_monotonic_increasing
    curve = training_table([epoch.to_dict() for epoch in newer.curve])
    lines = runs_figure([(str(n), curve) for n in range(12)]).data
    assert lines[0].line.color == COLOURS["finetuned"] and {line.line.color for line in lines} <= {*COLOURS.values()}
    assert len({(line.line.color, line.line.dash) for line in lines}) == 12


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
    assert FinetuneRequest.from_arguments(arguments).settings == expected


def test_runs_are_compared_once_there_are_two(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    at = open_app("finetune")
    assert not at.exception and "repeats it." in " ".join(caption.value for caption in at.caption)
    second = add_finetuned(study, budget=0.3, top1=0.85)
    at = open_app("finetune")
    assert not at.exception and "or several to see theirs in one chart." in " ".join(
        caption.value for caption in at.caption
    )
    assert run_name(second).endswith("%, quick")
    assert run_name(replace(second, ranking="uniform")).endswith("%, uniform, quick")
    assert runs_table([second, replace(second, ranking="identity")])["Ranking"].tolist() == ["Identity", "–"]


def test_a_run_says_how_long_it_may_take_before_it_starts(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")  # three epochs at 50 % took 75 s

    def said(**address: str) -> list[str]:
        at = open_app("finetune", **address)
        return [caption.value for caption in at.caption if caption.value.startswith(("About ", "Trained like this"))]

    def before(budget: Budget, recipe: str) -> str:
        return expectation(study, "learned", budget, RECIPES[recipe])

    assert said(budget="40")[0] == "About 4 min: 3 epochs at 50 % took 75 s."  # ten epochs
    jetson = Provenance(machine="a Jetson")
    far = replace(add_finetuned(study, budget=0.2, top1=0.9), key="far", seconds=30.0, provenance=jetson)
    study.save_finetuned(far)
    study.finetuned_weights("far").touch()
    assert before(LESS, "short") == "About 4 min: 3 epochs at 50 % took 75 s."
    study.save_finetuned(replace(far, created="2026-01-03T00:00:00Z"))  # the machine that trained last
    assert before(LESS, "short") == "About 2 min: 3 epochs at 20 % took 30 s on a Jetson."
    assert before(HALF, "quick") == "Trained like this already: 93.00 % top-1, in the table below."
    assert "3 epochs" in expectation(study, "learned", HALF, replace(RECIPES["quick"], seed=1))
    plain = max(study.finetuned, key=lambda run: run.macs_fraction)
    study.save_finetuned(noted_by_an_earlier_version(plain, "python -m legr finetune --macs 0.5 --half"))
    assert before(HALF, "quick").startswith("Trained like this already, and rounded to float16: 93.00 %")


def test_runs_of_one_budget_are_told_apart(studies: Path) -> None:
    run = add_finetuned(Study.open(studies / "demo"), budget=0.3)
    for settings, words in (
        (settings_of_recipe("quick", {"lr": 0.05}), "quick, lr=0.05"),
        (settings_of_recipe("short", {"distill": False, "seed": 4}), "short, no teacher, seed 4"),
        (
            settings_of_recipe("paper", {"epochs": 10, "distill": True, "average": 0.99}),
            "paper, 10 epochs, with a teacher, average=0.99",
        ),
    ):
        named = training_description(replace(run, settings=settings))
        assert sorted(named.split(", ")) == sorted(words.split(", ")) and named.split(", ")[0] == words.split(", ")[0]
    assert (
        training_description(noted_by_an_earlier_version(run, "python -m legr finetune --half"))
        == f"{training_description(run)}, float16 weights"
    )
    assert (
        training_description(FineTuned.from_dict({**run.to_dict(), "settings": {"of another version": 1}}))
        == "3 epochs"
    )


def test_what_the_original_gains_from_the_same_training_is_said(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    assert original_line(study, RECIPES["short"]) == ""
    whole = replace(
        add_finetuned(study, 1.0),
        key="whole",
        settings=RECIPES["short"],
        top1_before=0.94,
        top1=0.9433,
        heldout_top1=0.9,
    )
    other = replace(whole, key="other", settings=replace(RECIPES["short"], seed=1), top1=0.95, heldout_top1=0.99)
    for run in (whole, other):
        study.save_finetuned(run)
        study.finetuned_weights(run.key).touch()
    said = "The original itself gains 0.33 points from this training (94.00 to 94.33 %)."
    assert original_line(study, RECIPES["short"]).strip() == said  # the same seed before others
    assert "95.00" in original_line(study, replace(RECIPES["short"], seed=7))
    assert "gains 12.00 points" in original_line(study, RECIPES["quick"])  # the run of `add_finetuned`
    assert original_line(study, RECIPES["long"]) == ""
    at = open_app("finetune", budget="40")
    assert not at.exception and any(caption.value.endswith(said) for caption in at.caption)


def test_polish_says_where_there_are_no_weights_for_it(studies: Path) -> None:
    study = Study.open(studies / "demo")
    assert start_line(study, "learned", HALF, "short") == ""
    assert "this network has none: other recipes regain more." in start_line(study, "learned", HALF, "polish")
    whole = start_line(study, "learned", Budget(macs=1.0), "polish")
    assert whole.startswith("Nothing is removed: this trains the original itself once more")
    supernet = add_supernet(study)
    assert start_line(study, "learned", HALF, "polish") == "It begins with weights that were trained together. "
    before = add_finetuned(study)
    assert "Trained like this" not in expectation(study, "learned", HALF, RECIPES["quick"])  # it began with others
    begun = replace(before, supernet=supernet.key)
    study.save_finetuned(begun)
    assert "Trained like this" in expectation(study, "learned", HALF, RECIPES["quick"])
    assert training_description(begun) == "quick, from weights trained together"
    said = "Top-1 on the test images: 81.00 % before, with weights trained together, 93.00 % after."
    assert before_and_after(begun) == said
    assert before_and_after(before) == said.replace(", with weights trained together", "")


def test_the_command_of_a_run_names_the_study_as_it_is_called_now(studies: Path) -> None:
    study = Study.open(studies / "demo")
    provenance = Provenance("python -m legr finetune --study 'my study' --macs 0.3 --half")
    assert shlex.split(command_again(provenance.command, study.path)) == [
        *("python", "-m", "legr", "finetune", "--study", str(study.path), "--macs", "0.3", "--half")
    ]


def test_a_command_that_leads_elsewhere_by_now_says_so(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    run = noted_by_an_earlier_version(add_finetuned(study), "python -m legr finetune --study demo --macs 0.5")
    run = replace(run, keep_id=keep_id(study.curve().at(macs=0.5)), ranking="learned")
    assert changed_note(study, run) == ""
    study.save_constraints(Constraints(pins={study.structure.layers[0].name: 5}))
    assert "trains another network now" in changed_note(study, run)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--macs", "0.25"), "25 % of the MACs"),
        (("--weight-mb", "0.3"), "0.3 MB of weights"),
        (("--params", "0.5", "--mmacs", "20"), "50 % of the parameters and 20 million MACs"),
    ],
)
def test_a_job_names_the_limits_it_was_given(arguments: tuple[str, ...], words: str) -> None:
    assert FinetuneRequest.from_arguments(arguments).budget.words == words
