"""The dial's scripts: they name the same fields as Python, and can be joined into one."""

import re
from typing import get_type_hints, is_typeddict

import pytest

from app.browser_files import DIAL
from app.budget_dial import along_types, card_types, lanes_types, lineage_types, types
from app.joined_script import joined_script

OWN_SCRIPTS = (
    "figure.js",
    "narrow.js",
    "card_mail.js",
    "along.js",
    "along_rows.js",
    "lanes.js",
    "lineage.js",
    "lineage_lines.js",
)  # they are joined into scripts of their own
MODULES = sorted(path for path in DIAL.glob("*.js") if path.name not in OWN_SCRIPTS)
INTERFACE = re.compile(r"^export interface (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^  (\w+)(\?)?:", re.MULTILINE)
TYPES = [
    kind
    for kind in (vars(types) | vars(card_types) | vars(along_types) | vars(lineage_types) | vars(lanes_types)).values()
    if is_typeddict(kind) and kind is not types.StudyData
]


def interfaces() -> dict[str, dict[str, bool]]:
    """Every interface that the scripts declare: its fields, and whether each may be absent."""
    text = (DIAL / "types.d.ts").read_text(encoding="utf-8")
    return {
        name: {field: bool(optional) for field, optional in FIELD.findall(body)}
        for name, body in INTERFACE.findall(text)
    }


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_python_and_the_scripts_name_the_same_fields(kind: type) -> None:
    expected = {field: field in kind.__optional_keys__ for field in get_type_hints(kind)}  # type: ignore[attr-defined]
    assert interfaces()[kind.__name__] == expected


def test_the_joined_script_has_every_module_once_and_in_order() -> None:
    script = joined_script(DIAL / "index.js")
    assert not re.search(r"^import|^export (?!default)", script, re.MULTILINE)
    assert script.count("export default") == 1
    first_lines = [path.read_text(encoding="utf-8").splitlines()[0] for path in MODULES]
    assert all(script.count(line) == 1 for line in first_lines)
    for path in MODULES:  # a module stands behind all that it imports
        text = path.read_text(encoding="utf-8")
        imported = re.findall(r'from "\./([\w-]+\.js)";', text)
        for name in imported:
            other = (DIAL / name).read_text(encoding="utf-8").splitlines()[0]
            assert script.index(other) < script.index(text.splitlines()[0])


def test_the_joined_script_is_the_modules_but_for_their_types() -> None:
    """Read line by line: a comment of its own begins with two stars, and ends at the end of a line."""
    expected, is_comment = [], False
    for path in MODULES:
        for line in path.read_text(encoding="utf-8").splitlines():
            goes_on = "*/" in line and not line.endswith("*/")  # with code behind it
            is_comment = is_comment or (line.strip().startswith("/**") and not goes_on)
            is_whole = is_comment and line.endswith("*/")
            if not is_comment and not line.startswith("import "):
                expected.append(re.sub(r"^export (?!default)", "", line))
            is_comment = is_comment and not is_whole
    joined = joined_script(DIAL / "index.js").splitlines()
    assert sorted(filter(None, map(str.strip, joined))) == sorted(filter(None, map(str.strip, expected)))
    assert len(joined_script(DIAL / "index.js")) < 0.8 * sum(path.stat().st_size for path in MODULES)


def test_no_two_modules_declare_the_same_name() -> None:
    declared = r"^(?:export )?(?:async )?(?:const|let|class|function) (?:\[([\w, ]+)\]|(\w+))"
    names: list[str] = []
    for path in MODULES:
        for several, one in re.findall(declared, path.read_text(encoding="utf-8"), re.MULTILINE):
            names += several.split(", ") if several else [one]
    assert len(names) > 50
    assert len(set(names)) == len(names)
