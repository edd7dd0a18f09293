"""The house rules that a machine can check: imports run downwards, the engine knows no Streamlit."""

import ast
from pathlib import Path

import pytest

import legr

ROOT = Path(__file__).resolve().parents[1]
#: A room may import itself and what is below it.
FLOORS = [
    {"errors", "files", "paths", "progress", "record"},
    {"arguments", "registry"},
    {"structure"},
    {"ranking"},
    {"data"},
    {"models"},
    {"training"},
    {"study"},
    {"requests"},
    {"search", "deploy", "jobs"},
    {"commands"},
    {"cli", "__main__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def imported(path: Path) -> set[str]:
    """Modules that a file imports, wherever in it; those for type checking only are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "legr").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_downwards(path: Path) -> None:
    parts = path.relative_to(ROOT / "legr").with_suffix("").parts
    if parts[0] == "__init__":
        return
    own = FLOOR[parts[0]]
    for name in imported(path):
        top, *rest = name.split(".")
        assert top not in ("streamlit", "app", "pages", "tests"), f"{path} imports {name}"
        if top == "legr" and rest and rest[0] in FLOOR:
            assert FLOOR[rest[0]] < own or rest[0] == parts[0] or parts[0] == "__main__", name


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
