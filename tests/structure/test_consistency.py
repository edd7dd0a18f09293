"""Structures whose parts contradict each other are refused: a damaged file never leads to another network."""

import json
from pathlib import Path
from typing import Any

import pytest

from legr.schema import SchemaError
from legr.structure.codec import from_dict, to_dict

WRITTEN = Path(__file__).parents[1] / "study" / "format_0_1" / "structure.json"


def written() -> dict[str, Any]:
    return dict(json.loads(WRITTEN.read_text())["structure"])


def test_what_was_written_is_consistent() -> None:
    again = to_dict(from_dict(written()))
    assert again.pop("uncounted") == [] and again.pop("branches") == [] and again == written()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s["vectors"][0].__setitem__(0, s["n_units"] + 1), r"a label must be in \[0, \d+\]"),
        (lambda s: s["vectors"][0].__setitem__(0, -1), r"vectors\[0\]\[0\] must be at least 0, got -1"),
        (lambda s: s["vectors"][0].append(0), "labels, and its shape is"),
        (lambda s: s["axes"][0].__setitem__(2, len(s["vectors"])), r"a label vector must be in \[0, "),
        (lambda s: s["axes"][0].__setitem__(2, -1), r"a label vector must be in \[0, "),
        (lambda s: s["axes"][0].__setitem__(1, 7), "labels, and its shape is"),
        (lambda s: s["axes"].pop(0), "the filters of conv1 are no axis of conv1.weight"),
        (lambda s: s["ops"][0].__setitem__(1, 5), "has no dim 5"),
        (lambda s: s["ops"][0].__setitem__(0, "no.such"), "the shape of no.such is missing"),
        (lambda s: s["ops"][0].__setitem__(3, 2**60), r"ops\[0\]\[3\] must be at most"),
        (lambda s: [op.__setitem__(3, 2**52) for op in s["ops"]], "MACs, which must be in"),
        (lambda s: [op.__setitem__(3, 0) for op in s["ops"]], "0 MACs, which must be in"),
        (lambda s: s["groups"].pop(), "the groups must hold each of"),
        (lambda s: s["groups"][0][1].append(s["groups"][0][1][0]), "the groups must hold each of"),
        (lambda s: s["groups"][0].__setitem__(1, []), "at least 1 item"),
        (lambda s: s["groups"][0].__setitem__(2, ["no.such"]), "scored by a layer that is not there"),
        (lambda s: s.__setitem__("n_units", 2**31 - 1), "the groups must hold each of"),
        (lambda s: s.__setitem__("n_units", True), "n_units must be a whole number"),
        (lambda s: s["shapes"].__setitem__("conv1.weight", [1, 2]), "labels, and its shape is"),
        (lambda s: s["shapes"].pop("conv1.weight"), "the shape of conv1.weight is missing"),
        (lambda s: s.__setitem__("format", 3), "it has format 3 and this version reads 2: trace the model again"),
        (lambda s: s.pop("pieces"), "pieces is missing"),
    ],
)
def test_what_contradicts_itself_is_refused(change: Any, words: str) -> None:
    data = written()
    change(data)
    with pytest.raises(SchemaError, match=words):
        from_dict(data)


def test_units_of_one_group_stand_in_the_same_channels() -> None:
    data = written()
    first, second = data["groups"][0], data["groups"][1]
    first[1][0], second[1][0] = second[1][0], first[1][0]
    with pytest.raises(SchemaError, match="units of one group stand in different channels"):
        from_dict(data)
