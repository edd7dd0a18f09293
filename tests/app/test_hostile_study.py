"""A study whose every text is an attack: no page shows a link, a picture, a formula or an icon of it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from legr.charts.search import map_figure
from legr.ranking.limits import Budget
from legr.report.network import network_of
from legr.report.page import page_of
from legr.study.store import Study
from tests.app.conftest import OpenApp
from tests.app.hostile_study import NAME, PAYLOAD, make_hostile
from tests.report.test_page import Elements

#: What Markdown would read of it.
ACTIVE = re.compile(r"(?<!\\)!?\[[pl]|(?<!\\)<img|(?<!\\)\$x|:material/home|(?<!\\):red\[|:smile:|www\.e|[\x1b\u202e]")
#: Elements whose texts are not read as Markdown.
AS_IT_IS = {"text", "code", "arrow_data_frame", "bidi_component", "imgs", "download_button_data"}
PAGES = ("explore", "learn", "finetune", "see", "structure", "studies")


def test_the_pattern_finds_what_it_is_for() -> None:
    assert len(ACTIVE.findall(PAYLOAD)) == 10


@pytest.fixture
def hostile(studies: Path) -> Path:
    """The study "demo" with the payload in every text, and in its name what a folder's name may hold."""
    return make_hostile(studies / "demo")


def texts_of(at: AppTest) -> Iterator[str]:
    """Every text of a page that Streamlit reads as Markdown."""

    def walk(node: Any) -> Iterator[str]:
        proto = getattr(node, "proto", None)
        if proto is not None and getattr(node, "type", "") not in AS_IT_IS:
            for name in ("body", "label", "help", "text", "caption", "placeholder"):
                value = getattr(proto, name, None)
                if isinstance(value, str):
                    yield value
        for child in getattr(node, "children", {}).values():
            yield from walk(child)

    yield from walk(at._tree)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_no_page_shows_it_as_markdown(page: str, hostile: Path, open_app: OpenApp) -> None:
    at = open_app(page, study=NAME)
    assert not at.exception
    texts = list(texts_of(at))
    given = [json.loads(part.proto.json) for part in at.get("bidi_component")]  # the dial shows the study's name
    assert any("e.example" in text for text in [*texts, *strings_of(given)])  # the study is open
    assert not any("cannot be read" in error.value for error in at.error)
    for text in texts:
        assert not ACTIVE.search(text), text
    for text in strings_of(given):
        assert not re.search(r"[\x1b\u202e]", text), text


def test_an_address_line_shows_nothing_either(open_app: OpenApp) -> None:
    for query in ({"study": PAYLOAD}, {"study": "demo", "pin": [PAYLOAD], "lens": PAYLOAD, "held": PAYLOAD}):
        at = open_app(**query)
        assert not at.exception
        for text in texts_of(at):
            assert not ACTIVE.search(text), text


def test_charts_read_no_tags(hostile: Path) -> None:
    import pandas as pd

    figure = map_figure(pd.DataFrame({"layer": ["<a href='//e.example'>l</a>"], "alpha": [1.0], "kappa": [0.0]}))
    assert "<a" not in figure.to_json().replace("\\u003c", "<")


BREAKOUT = "</script></title></style><script>alert(1)</script><a href='//e.example'>l</a> "


def test_a_report_has_nothing_of_it(hostile: Path) -> None:
    """Its elements are those of the report on a harmless study, and no text of a chart has a tag of Plotly's."""
    for file in [*hostile.glob("*.json"), *(hostile / "finetuned").glob("*.json")]:
        file.write_text(file.read_text().replace("![p](", f"{BREAKOUT}![p]("))
    network = network_of(Study.open(hostile), Budget(macs=0.5))
    page = page_of(network, datetime(2026, 11, 29, tzinfo=UTC))
    elements = Elements(page)
    charts_shown = [div for div in elements.all("div") if div.get("class") == "chart"]
    assert len(elements.all("script")) == 2 + len(charts_shown) == 4
    assert not elements.all("img") and [link["href"][:22] for link in elements.all("a")] == ["http://localhost:8501/"]
    assert "alert(1)" in page and "\x1b" not in page and "\u202e" not in page
    charts = [json.loads(text) for text in elements.scripts[:-2]]
    texts = [text for chart in charts for text in strings_of(chart)]
    assert any("alert(1)" in text for text in texts)
    assert not any(re.search(r"<(a|img|script)\b", text) for text in texts)


def strings_of(data: Any) -> Iterator[str]:
    """Every text in plain data."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for part in (*data, *data.values()) if isinstance(data, dict) else data:
            yield from strings_of(part)


def test_a_note_that_is_no_text(hostile: Path, open_app: OpenApp) -> None:
    (hostile / "note.txt").write_bytes(b"\xff\xfe\x00\x1b[2J")
    assert not open_app("studies", study=NAME).exception
    assert Study.open(hostile).path.name == NAME
