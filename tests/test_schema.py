"""Data of a file by a declared schema: bounds, types, and one sentence about what is wrong."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from legr.record import Record
from legr.schema import (
    Count,
    Name,
    Number,
    Plain,
    Real,
    SchemaError,
    Several,
    Share,
    build,
    parse,
    parse_items,
    read_bytes,
)


@dataclass(frozen=True)
class Inner(Record):
    share: Share
    words: Several[Name] = ()


@dataclass(frozen=True)
class Outer(Record):
    inner: Several[Inner]
    kind: Literal["a", "b"] = "a"
    count: Count = 0
    loss: Real | None = None
    rate: Number = 1
    written: Annotated[bool, Field(alias="wrote")] = False


def test_what_is_written_is_read_and_unknown_keys_are_ignored() -> None:
    record = Outer((Inner(0.5, ("x",)), Inner(1.0)), "b", 3, None, 2, True)
    data = record.to_dict()
    assert data == {
        "inner": [{"share": 0.5, "words": ["x"]}, {"share": 1.0, "words": []}],
        **{"kind": "b", "count": 3, "loss": None, "rate": 2, "wrote": True},
    }
    assert Outer.from_dict({**data, "of a later version": [1]}) == record
    assert type(Outer.from_dict(data).rate) is int  # as it was written: names of searches are made of it


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is no JSON: EOF"),
        ("[]", "it must be an object, got []"),
        ("{}", "inner is missing"),
        ('{"inner": 1}', "inner must be a list, got 1"),
        ('{"inner": [{"share": 7}]}', r"inner[0].share must be at most 1, got 7"),
        ('{"inner": [{"share": -1}]}', r"inner[0].share must be at least 0, got -1"),
        ('{"inner": [{"share": NaN}]}', r"inner[0].share must be a finite number, got nan"),
        ('{"inner": [{"share": 1e999}]}', r"inner[0].share must be a finite number, got inf"),
        ('{"inner": [{"share": "1"}]}', r"inner[0].share must be a number, got '1'"),
        ('{"inner": [{"share": true}]}', r"inner[0].share must be a number, got True"),
        ('{"inner": [{"share": 1, "words": ["' + "x" * 1001 + '"]}]}', "words[0] must be at most 1000 characters long"),
        ('{"inner": [], "kind": "c"}', "kind must be 'a' or 'b', got 'c'"),
        ('{"inner": [], "count": 1.0}', "count must be a whole number, got 1.0"),
        ('{"inner": [], "count": 9007199254740992}', "count must be at most 9.0072e+15"),
        ('{"inner": [], "count": ' + "9" * 4000 + "}", "count must be at most 9.0072e+15"),
        ('{"inner": [], "count": ' + "9" * 5000 + "}", "it is no JSON: number out of range"),
        ('{"inner": [], "loss": 1e200}', "loss must be at most 1e+100, got 1e+200"),
        ('{"inner": [], "wrote": 1}', "wrote must be true or false, got 1"),
        (r'{"inner": [], "kind": "\ud800"}', "it is no JSON: unexpected end of hex escape"),
        ('{"inner": ' + "[" * 100_000, "it is no JSON: recursion limit exceeded"),
        ('{"a": ' * 100_000, "it is no JSON: recursion limit exceeded"),
        ("\ufeff{}", "it is no JSON"),
    ],
)
def test_whatever_is_wrong_is_one_short_sentence(text: str, words: str) -> None:
    with pytest.raises(SchemaError) as caught:
        parse(text, Outer)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 250 and "\n" not in str(caught.value)


@pytest.mark.parametrize("number", ["NaN", "-1e999", "1e200", "9007199254740992", "9" * 4000])
def test_numbers_in_data_of_no_known_schema_are_such_as_a_browser_reads(number: str) -> None:
    assert parse('{"a": [1, 0.5, null, {"b": "c"}]}', dict[str, Plain]) == {"a": [1, 0.5, None, {"b": "c"}]}
    with pytest.raises(SchemaError, match="no larger than a browser counts, got"):
        parse(f'{{"a": [1, {{"b": {number}}}]}}', dict[str, Plain])


def test_a_damaged_item_hides_itself() -> None:
    items = '{"share": 0.1}, {"share": 7}, {"share": 0.2}, 3'
    found, damaged = parse_items(f'{{"inner": [{items}], "count": 2}}', Outer, "inner")
    assert found == Outer((Inner(0.1), Inner(0.2)), count=2)
    assert damaged == ["inner[1].share must be at most 1, got 7", "inner[3] must be an object, got 3"]
    assert parse_items('{"inner": []}', Outer, "inner") == (Outer(()), [])
    for whole in ('{"inner": 1}', '{"inner": [], "count": -1}', '{"inner": [3], "count": -1}', "{}", "["):
        with pytest.raises(SchemaError):
            parse_items(whole, Outer, "inner")


@pytest.mark.parametrize("data", [{1, 2}, {"inner": object()}, {"inner": [{"share": 10**5000}]}])
def test_what_is_no_plain_data_is_refused(data: Any) -> None:
    with pytest.raises(SchemaError):
        build(data, Outer)


def test_files_have_a_largest_size_and_are_files(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    assert read_bytes(path, 100) == b"x" * 100
    with pytest.raises(SchemaError, match=r"at most 9.44\d*e-05 MB large, got 9.537e-05"):
        read_bytes(path, 99)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SchemaError, match="a pipe or a device, not a file"):
        read_bytes(tmp_path / "pipe", 100)
    with pytest.raises(SchemaError, match="a pipe or a device, not a file"):
        read_bytes(Path("/dev/zero"), 100)
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path, 100)


def test_a_whole_number_that_no_browser_counts_to_is_no_whole_number() -> None:
    read = parse('{"a": 7, "b": 9223372036854775807, "c": -9007199254740992}', dict[str, Number])
    assert read == {"a": 7, "b": 2.0**63, "c": -(2.0**53)}
    assert [type(value) for value in read.values()] == [int, float, float]
