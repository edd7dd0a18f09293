"""The documents of results say what was measured: their tables are those of the result files and of the sample."""

import re
from pathlib import Path

import pytest

from benchmarks.report import BLOCKS, DOCUMENTS, refreshed

pytestmark = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)


def test_every_table_is_as_it_was_measured(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- begin (\w+) -->", text)) <= set(BLOCKS)
    assert refreshed(text) == text, "run `python -m benchmarks.report`"


def test_a_table_that_was_changed_by_hand_is_found_out(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    forged = re.sub(r"(<!-- begin \w+ -->\n)", r"\1| made up |\n", text, count=1)
    assert forged != text and refreshed(forged) == text
