"""What goes wrong with a study is one sentence on the page, never a traceback."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.run_command import read_outcome
from app.words import plain
from tests.app.conftest import ROOT, OpenApp

PAGES = ["explore", "learn", "finetune", "see", "structure"]


def only_error(at: AppTest) -> str:
    assert not at.exception
    assert len(at.error) == 1
    return at.error[0].value


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("file", ["study.json", "structure.json", "ranking.json"])
def test_a_damaged_file_is_named(open_app: OpenApp, studies: Path, page: str, file: str) -> None:
    (studies / "demo" / file).write_text('{"format": 1, "torn')
    at = open_app(page)
    if (page, file) == ("learn", "structure.json"):
        assert not at.exception and not at.error  # that page does not need it
    else:
        sentence = only_error(at)
        assert file in sentence and "restore" in sentence and "Traceback" not in sentence


@pytest.mark.parametrize("page", PAGES)
def test_torn_points_hide_themselves_and_are_said(open_app: OpenApp, studies: Path, page: str) -> None:
    (studies / "demo" / "points.json").write_text('{"format": 1, "torn')
    at = open_app(page)
    assert not at.exception and not at.error
    said = [caption.value for caption in at.caption if "demo/points.json cannot be read" in caption.value]
    assert len(said) == 1 and "restore" in said[0]


@pytest.mark.parametrize("page", PAGES)
def test_a_newer_study_asks_for_an_update(open_app: OpenApp, studies: Path, page: str) -> None:
    path = studies / "demo" / "study.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    assert "newer version" in only_error(open_app(page)) and "update the program" in only_error(open_app(page))


@pytest.mark.parametrize("name", ["gone", "../../etc", "/etc", "..", "."])
def test_a_name_that_is_no_study_is_no_path(open_app: OpenApp, name: str) -> None:
    assert "there is no study" in only_error(open_app(study=name)).lower()


def test_a_damaged_study_leaves_the_others_in_the_list(open_app: OpenApp, studies: Path) -> None:
    (studies / "plain" / "structure.json").write_text("[]")
    at = open_app("studies")
    assert not at.exception
    text = " ".join(element.value for element in at.markdown)
    assert "plain/structure.json" in text and "ResNet-8 on digits · demo" in text


@pytest.mark.parametrize("change", [{"pruned_to": "x"}, {"all_classes": [1]}, {"data_fingerprint": {}}, {"name": None}])
def test_a_study_of_wrong_types_leaves_the_others_in_the_list(
    open_app: OpenApp, studies: Path, change: dict[str, object]
) -> None:
    path = studies / "plain" / "study.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    at = open_app("studies")
    assert not at.exception
    text = " ".join(element.value for element in at.markdown)
    assert f"plain/study.json cannot be read ({next(iter(change))}".replace("_", r"\_") in text
    assert "ResNet-8 on digits · demo" in text
    assert "plain/study.json" in only_error(open_app(study="plain"))


@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_point_is_left_out_and_said(open_app: OpenApp, studies: Path, page: str) -> None:
    path = studies / "demo" / "points.json"
    data = json.loads(path.read_text())
    data["points"][2]["top1"] = 7
    path.write_text(json.dumps(data))
    at = open_app(page)
    assert not at.exception and not at.error
    captions = [caption.value for caption in at.caption]
    assert r"Left out, as damaged: demo/points.json: points\[2\].top1 must be at most 1, got 7." in captions


def test_without_any_study_there_is_a_way_to_begin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, studies: Path
) -> None:
    monkeypatch.setenv("LEGR_STUDIES", str(tmp_path / "none"))
    for place in ("legr.study.catalog.SAMPLES", "app.state.SAMPLES"):
        monkeypatch.setattr(place, tmp_path / "none either")
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30).run()
    assert not at.exception and not at.error
    assert at.title[0].value == "Trade accuracy against cost"


def test_outcomes_of_commands() -> None:
    assert read_outcome(0, '{"ok": true}\n', "").result == {"ok": True}
    assert read_outcome(2, "", "loading 1 of 2\nthe file is missing; give another\n").sentence == (
        "the file is missing; give another"
    )
    crashed = read_outcome(1, "", "Traceback …\nKeyError: 'x'")
    assert not crashed.ok and "exit 1" in crashed.sentence


def test_texts_are_shown_as_they_are() -> None:
    assert plain("a_b *c* $d$ [e] `legr --x_y`") == r"a\_b \*c\* \$d\$ \[e\] `legr --x_y`"
