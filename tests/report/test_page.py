"""The page: one file that asks nobody, runs its own two scripts alone, and is the same for the same study and day."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from legr.ranking.limits import Budget
from legr.report import page as report_page
from legr.report.figures import layers_chart, layers_table
from legr.report.network import ShownNetwork, network_of
from legr.report.page import page_of
from legr.study.catalog import SAMPLES
from legr.study.store import Study, keep_id
from tests.study.comparison_by_hand import comparison

DAY = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Elements(HTMLParser):
    """Every element of a page, with its attributes, and the texts of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.in_script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.in_script = tag == "script"
        if self.in_script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.in_script = False

    def handle_data(self, data: str) -> None:
        if self.in_script:
            self.scripts[-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def network() -> ShownNetwork:
    return network_of(Study.open(SAMPLES / "digits-resnet20"), Budget(macs=0.3))


@pytest.fixture(scope="module")
def page(network: ShownNetwork) -> str:
    return page_of(network, DAY)


def test_only_its_own_two_scripts_may_run(page: str) -> None:
    elements = Elements(page)
    policy = next(meta["content"] or "" for meta in elements.all("meta") if "http-equiv" in meta)
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    kinds = [script.get("type") for script in elements.all("script")]
    runnable = [text for kind, text in zip(kinds, elements.scripts, strict=True) if kind is None]
    assert [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in runnable] == allowed
    assert len(runnable) == 2 and set(kinds) == {None, "application/json"}
    assert "default-src 'none'" in policy and "unsafe-eval" not in policy
    assert not re.search(r"script-src[^;]*unsafe", policy) and "http" not in policy


def test_nothing_is_fetched_and_one_link_leads_to_this_network(network: ShownNetwork, page: str) -> None:
    elements = Elements(page)
    assert not any({"src", "srcset", "action", "data", "poster"} & set(attributes) for _, attributes in elements.found)
    assert not {"link", "img", "iframe", "object", "form", "base", "video"} & {tag for tag, _ in elements.found}
    (link,) = [urlsplit(link["href"] or "") for link in elements.all("a")]
    view = dict(parse_qsl(link.query))
    assert (link.scheme, link.netloc, view["study"]) == ("http", "localhost:8501", "digits-resnet20")
    assert keep_id(network.study.curve().at(macs=float(view["budget"]) / 100)) == network.keep_id
    style = page.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style and "@import" not in style


def test_the_same_study_gives_the_same_page_but_for_the_date(network: ShownNetwork, page: str) -> None:
    again = network_of(Study.open(SAMPLES / "digits-resnet20"), Budget(macs=0.3))
    assert page_of(again, DAY) == page
    later = page_of(network, DAY.replace(year=2027))
    assert later != page and later.replace("29 November 2027", "29 November 2026") == page


def test_it_says_where_the_network_comes_from(network: ShownNetwork, page: str) -> None:
    info = network.study.info
    for text in (info.weights_sha256, network.keep_id, network.study.ranking_id("learned-ms"), info.data_fingerprint):
        assert text in page
    assert "python -m legr export --study digits-resnet20 --macs 0.3 --out exported" in page
    assert '<p class="of">ResNet-20 on digits, learned (ms) ranking</p>' in page
    assert (
        "<td>1 thread, batch 1</td>" in page
        and "<td>ONNX Runtime 1.31.1</td>" in page
        and "<td>AMD EPYC 26.2</td>" in page
    )
    assert "were not compared" in page and "Accuracy of each class" not in page


def test_accuracy_of_each_class_where_this_network_was_compared(
    network: ShownNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def stored(study: Study, name: str) -> object:
        asked.append(name)
        return comparison()

    monkeypatch.setattr(report_page, "load_comparison", stored)
    page = page_of(network, DAY)
    assert asked[0].startswith(f"{network.keep_id}-")
    assert "Of 8 test images both networks get 3 right, only the original 2, only this network 1, neither 2." in page
    assert "Accuracy of each class" in page and "were not compared" not in page
    charts = [json.loads(text) for text in Elements(page).scripts[:-2]]
    assert [trace.get("name") for trace in charts[-1]["data"]] == [None, "Original", "This network", None]


def test_bars_show_what_each_layer_keeps(network: ShownNetwork) -> None:
    info = layers_table(network)
    curve = network.study.curve()
    assert info["kept"].tolist() == curve.kept[:, curve.step(macs=0.3)].tolist()
    kept, removed = layers_chart(info, "#123456").data
    assert [sum(pair) for pair in zip(kept.y, removed.y, strict=True)] == info["total"].tolist()


def test_a_report_needs_no_torch(tmp_path: Path) -> None:
    script = (
        "import sys; from legr.cli import cli; "
        f"cli(['report', '--study', {str(SAMPLES / 'digits-resnet20')!r}, '--macs', '0.3', '--out', 'r.html'], "
        "standalone_mode=False); assert 'torch' not in sys.modules and 'streamlit' not in sys.modules"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
