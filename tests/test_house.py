"""The rules of the house that a machine can check: imports run downwards, and some rooms need no torch or Streamlit."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import legr

ROOT = Path(__file__).resolve().parents[1]
#: A room may import itself and what is below it.
FLOORS = [
    {"errors", "escape", "files", "held", "paths", "processes", "progress", "words"},
    {"arguments", "bounds", "schema"},
    {"outside", "record", "registry"},
    {"structure"},
    {"ranking"},
    {"data"},
    {"models"},
    {"training"},
    {"study"},
    {"requests"},
    {"search", "deploy", "jobs"},
    {"commands"},
    {"charts"},
    {"report"},
    {"cli"},
    {"__main__"},
]
#: The same for the app; pages stand above all of it.
APP_FLOORS = [
    {"words", "run_command", "networks", "front_page", "browser_files", "address", "facts"},
    {"guards"},
    {"state", "curves"},
    {"navigation"},
    {"widgets"},
    {"budget_dial"},
    {"views"},
    {"server"},
]


def floor_of(floors: list[set[str]]) -> dict[str, int]:
    """The floor of every room."""
    return {room: floor for floor, rooms in enumerate(floors) for room in rooms}


def imported(path: Path, *, for_typing: bool = False) -> set[str]:
    """Modules that a file imports, wherever in it; those for type checking only if `for_typing` is set."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not for_typing
        for child in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def upward_imports(package: str, floors: list[set[str]], foreign: set[str]) -> list[str]:
    """Imports of a package that break its order.

    Args:
        foreign: top-level packages that it may not import at all.
    """
    floor, wrong = floor_of(floors), []
    for path in sorted((ROOT / package).rglob("*.py")):
        own, *_ = path.relative_to(ROOT / package).with_suffix("").parts
        if own == "__init__":
            continue
        for name in sorted(imported(path)):
            top, room, *_ = *name.split("."), ""
            upward = top == package and room in floor and room != own and floor[room] >= floor[own]
            if top in foreign or upward:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    return wrong


def test_imports_run_downwards() -> None:
    assert not upward_imports("legr", FLOORS, {"streamlit", "app", "pages", "tests"})
    assert not upward_imports("app", APP_FLOORS, {"pages", "tests", "torch"})
    for path in sorted((ROOT / "pages").glob("*.py")):
        assert not any(name.split(".")[0] in ("pages", "tests", "torch") for name in imported(path)), path


def test_charts_need_no_streamlit() -> None:
    paths = [
        *sorted((ROOT / "legr/charts").glob("*.py")),
        *(ROOT / f"app/{name}.py" for name in ("words", "run_command", "networks")),
    ]
    for path in paths:
        assert not any(name.split(".")[0] == "streamlit" for name in imported(path)), path


def test_no_modules_import_each_other_in_a_circle() -> None:
    paths = [path for room in ("legr", "app") for path in (ROOT / room).rglob("*.py")]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}

    def module_of(name: str) -> str:
        """The module that an imported name is, or is in; "" for one from elsewhere."""
        while name and name not in modules:
            name = name.rpartition(".")[0]
        return name

    imports = {
        module: {module_of(name) for name in imported(path, for_typing=True)} for module, path in modules.items()
    }
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other in a circle: {' <- '.join(error.args[1])}")


def test_numpy_rooms_know_no_torch() -> None:
    rooms = {
        "structure": ("types", "cost", "codec", "plans", "unprunable"),
        "ranking": ("types", "footprints", "constraints", "pins", "blocks", "order", "limits", "budget"),
        "study": ("records", "store", "comparison"),
    }
    light = [f"{room}/{name}" for room, names in rooms.items() for name in names]
    for name in light:
        assert not any(m.split(".")[0] == "torch" for m in imported(ROOT / "legr" / f"{name}.py")), name


def test_public_names() -> None:
    assert set(legr.__all__) >= {
        "trace", "filter_norms", "rank", "Budget", "BudgetCurve", "Constraints", "cost", "prune", "verify",
        "LegrError", "BudgetError", "VerificationError",
    }  # fmt: skip
    for name in legr.__all__:
        assert getattr(legr, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'pruen'"):
        legr.pruen  # noqa: B018
    errors = [getattr(legr, name) for name in legr.__all__ if name.endswith("Error")]
    assert all(issubclass(error, legr.LegrError) for error in errors)
