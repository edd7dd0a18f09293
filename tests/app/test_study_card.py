"""What a card says of a study, counted by hand."""

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.views.study_card import card_facts
from legr.study.heldout import HeldoutScore
from legr.study.store import Study
from tests.app.conftest import OpenApp
from tests.app.demo_study import BUDGETS, add_supernet


def test_a_card_says_that_all_budgets_are_trained(studies: Path) -> None:
    demo = Study.open(studies / "demo")
    add_supernet(demo)
    assert card_facts(demo)[1].endswith("networks measured, 1 fine-tuned, all budgets trained together")


def test_the_facts_of_a_card(studies: Path) -> None:
    demo, plain = Study.open(studies / "demo"), Study.open(studies / "plain")
    floor = 100 * demo.curve("learned").macs[-1] / demo.curve("learned").macs[0]
    assert card_facts(demo) == [
        f"95.0 % top-1 · prunes down to {floor:.1f} % of the MACs",
        f"Ranking learned · {3 * len(BUDGETS)} networks measured, 1 fine-tuned",
    ]
    assert card_facts(plain)[1] == f"Nothing learned yet · {2 * len(BUDGETS)} networks measured"
    (plain.path / "points.json").unlink()
    assert card_facts(plain)[0].startswith("Accuracy not measured yet · ")
    assert card_facts(plain)[1] == "Nothing learned yet · no networks measured"


@pytest.mark.parametrize("copies", [0, 2])
def test_samples_are_a_gallery(open_app: OpenApp, studies: Path, copies: int) -> None:
    sample = studies.parent / "samples" / "shown"
    (sample / "note.txt").write_text("What it shows.")
    for number in range(copies):
        Study.open(sample).copy_to(sample.with_name(f"shown-{number}")).mark_as_sample()
    at = open_app("studies")
    assert not at.exception and not at.error
    assert [text.value for text in at.text] == ["What it shows."] * (1 + copies)
    assert open_buttons(at) >= {"open-shown", *(f"open-shown-{number}" for number in range(copies))}


def open_buttons(at: AppTest) -> set[str]:
    return {str(button.key) for button in at.button if str(button.key).startswith("open-")}


def test_a_card_is_called_as_people_say_and_names_the_folder_in_small(open_app: OpenApp) -> None:
    at = open_app("studies")
    assert {"ResNet-8 on digits · demo", "ResNet-8 on CIFAR-10 · elsewhere"} <= {title.value for title in at.subheader}
    assert any(caption.value.startswith("demo · cifar\\_resnet8") for caption in at.caption)


def test_random_weights_are_said_on_the_card(open_app: OpenApp, studies: Path) -> None:
    guesses = HeldoutScore(top1=0.1, images=200)
    Study.open(studies / "plain").with_info(weights_origin="none", heldout=guesses)
    (card,) = (text.value for text in open_app("studies").markdown if ":material/warning:" in text.value)
    assert "no better than guessing among 10 classes: its weights are random; train them with" in card


def test_studies_are_sorted_by_their_last_change_or_their_name(open_app: OpenApp, studies: Path) -> None:
    for age, name in enumerate(("plain", "elsewhere", "demo")):
        for entry in (studies / name).iterdir():
            os.utime(entry, (1e9 - age, 1e9 - age))

    def order(at: AppTest) -> list[str]:
        own = ("plain", "elsewhere", "demo")
        return [name for title in at.subheader for name in own if title.value.endswith(f" · {name}")]

    at = open_app("studies")
    assert order(at) == ["plain", "elsewhere", "demo"]
    at.segmented_control(key="order").set_value("Name").run()
    assert order(at) == ["elsewhere", "demo", "plain"]  # ResNet-8 on CIFAR-10 comes before ResNet-8 on digits
