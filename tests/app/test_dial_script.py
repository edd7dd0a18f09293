"""The dial's scripts name the same fields as Python."""

import re
from typing import get_type_hints, is_typeddict

import pytest

from app.browser_files import DIAL
from app.budget_dial import types

INTERFACE = re.compile(r"^export interface (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^  (\w+)(\?)?:", re.MULTILINE)
TYPES = [kind for kind in vars(types).values() if is_typeddict(kind) and kind is not types.StudyData]


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
