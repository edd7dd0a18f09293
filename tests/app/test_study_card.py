"""What a card says of a study, counted by hand."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.views.study_card import card_facts
from legr.study.store import Study
from tests.app.conftest import OpenApp
from tests.app.demo_study import BUDGETS


def test_the_facts_of_a_card(studies: Path) -> None:
    demo, plain = Study.open(studies / "demo"), Study.open(studies / "plain")
    floor = 100 * demo.curve("learned").macs[-1] / demo.curve("learned").macs[0]
    assert card_facts(demo) == [
        "cifar_resnet8 · digits, 10 classes, 32x32",
        f"Original: 95.0 % top-1 · prunes down to {floor:.1f} % of the MACs",
        f"Ranking learned · networks: {3 * len(BUDGETS)} measured, 1 fine-tuned",
    ]
    assert card_facts(plain)[2] == f"Nothing learned yet · networks: {2 * len(BUDGETS)} measured"
    (plain.path / "points.json").unlink()
    assert card_facts(plain)[1].startswith("Original: accuracy not measured yet · ")
    assert card_facts(plain)[2] == "Nothing learned yet · no networks measured"


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
