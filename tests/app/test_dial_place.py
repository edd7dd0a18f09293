"""The dial's place in the page: nothing that comes or goes may change it, as a dial that moves is built anew."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from app import state
from tests.app.conftest import OpenApp
from tests.app.test_explore_page import dial
from tests.app.test_job_panel import alive, write_job

PAGES = ("explore", "finetune", "see")


def place(at: AppTest) -> tuple[int, ...]:
    """Which child of which child of the page the dial is."""

    def found(block: Block, way: tuple[int, ...]) -> tuple[int, ...] | None:
        for number, child in block.children.items():
            if child.type == "bidi_component":
                return *way, number
            inner = found(child, (*way, number)) if isinstance(child, Block) else None
            if inner:
                return inner
        return None

    assert not at.exception
    way = found(at.main, ())
    assert way
    return way


def run_jobs(path: Path) -> None:
    for kind in ("measure", "learn", "compare"):
        write_job(path, kind, state="running", **alive())


def fail(path: Path) -> None:
    write_job(path, "measure", state="failed", error="no images")


def damage(path: Path) -> None:
    stored = json.loads((path / "points.json").read_text())
    stored["points"][0] = {}
    (path / "points.json").write_text(json.dumps(stored))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("happens", [run_jobs, fail, damage])
def test_what_happens_to_a_study_leaves_the_dial_in_its_place(
    open_app: OpenApp, studies: Path, page: str, happens: Callable[[Path], None]
) -> None:
    at = open_app(page)
    before = place(at)
    happens(studies / "demo")
    assert place(at.run()) == before


@pytest.mark.parametrize("page", PAGES)
def test_studies_of_every_kind_have_the_dial_in_one_place(open_app: OpenApp, page: str) -> None:
    names = ("demo", "plain", "elsewhere", "shown")
    assert len({place(open_app(page, study=name)) for name in names}) == 1


@pytest.mark.parametrize("page", PAGES)
def test_a_notice_leaves_the_dial_in_its_place(open_app: OpenApp, page: str) -> None:
    at = open_app(page)
    before = place(at)
    at.session_state[state._NOTICE] = "The sample stays as it is."
    assert place(at.run()) == before and [info.value for info in at.info].count("The sample stays as it is.") == 1
    assert place(at.run()) == before


def test_steps_and_constraints_of_a_link_leave_the_dial_in_its_place(open_app: OpenApp) -> None:
    before = place(open_app("explore"))
    assert place(open_app("explore", multiple="4")) == before
    assert place(open_app("explore", study="shown")) == place(open_app("explore", study="shown", guide="off")) == before


def test_an_address_with_a_budget_is_a_whole_view_and_one_without_leaves_the_view(open_app: OpenApp) -> None:
    at = open_app(budget="30", held="60", ranking="uniform", by="size", lens="macs")

    def view() -> list[object]:
        return [at.session_state[name] for name in ("budget", "view-ranking") if name in at.session_state]

    at.query_params.clear()
    at.query_params.update({"study": "demo", "lens": "together"})
    at.run()
    assert view() == [30.0, "uniform"] and at.query_params["held"] in ("60", ["60"])
    at.query_params.clear()
    at.query_params.update({"study": "demo", "budget": "40"})
    at.run()
    assert view() == [40.0] and "held" not in at.query_params and "lens" not in at.query_params


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("lens", "macs", "macs"),
        ("axis", "params", "params"),
        ("by", "size", "size"),
        ("held", "30", 30.0),
        ("whole", "1", True),
        ("error", "1", True),
        ("others", "uniform.none.identity", ["identity", "uniform"]),
    ],
)
def test_an_address_that_differs_in_one_choice_changes_the_dial(
    open_app: OpenApp, name: str, value: str, expected: object
) -> None:
    at = open_app(budget="50", axis="macs")
    before = dial(at)["view"]
    assert dial(at.run())["view"] == before
    at.query_params[name] = value
    view = dial(at.run())["view"]
    chosen = {"held": "compared"}.get(name, name)
    assert view["jumps"] > before["jumps"]
    assert parse_qs(view.pop("address")) == parse_qs(before.pop("address")) | {name: [value]}
    assert {**view, "jumps": before["jumps"]} == {**before, chosen: expected}


@pytest.mark.parametrize("before", ["learn", "structure", "studies"])
def test_the_dial_opens_after_any_other_page(open_app: OpenApp, before: str) -> None:
    """Widgets of the page before may still be in the session, under keys of their own."""
    at = open_app(before)
    for page in PAGES:
        assert not at.switch_page(f"pages/{before}.py").run().exception
        assert place(at.switch_page(f"pages/{page}.py").run())
