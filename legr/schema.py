"""The one reader of files: their size first, then JSON by the schema of a type; what is wrong is one sentence.

A schema is declared where the fields are: a type hint, with bounds and the key in JSON in `Annotated` (pydantic). The
parser itself refuses nesting below 200 levels, numbers of over 4300 digits and halves of a character.
"""

import json
import os
import reprlib
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from legr.errors import LegrError

__all__ = [
    "LARGEST_COUNT",
    "MEGABYTE",
    "STRICT",
    "Count",
    "Name",
    "Number",
    "Plain",
    "Real",
    "SchemaError",
    "Several",
    "Share",
    "Text",
    "build",
    "in_words",
    "opened",
    "parse",
    "parse_items",
    "read_bytes",
    "require_size",
]

T = TypeVar("T")
MEGABYTE = 2**20
LARGEST_COUNT = 2**53 - 1  # a browser counts no further
_HUGE = 1e100  # of what is measured; sums and squares of it are still finite
STRICT = ConfigDict(strict=True, allow_inf_nan=False, extra="ignore")

Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Real = Annotated[float, Field(ge=-_HUGE, le=_HUGE)]
Whole = Annotated[int, Field(ge=-LARGEST_COUNT, le=LARGEST_COUNT)]
Number = Annotated[Whole | float, Field(ge=-_HUGE, le=_HUGE)]  # a whole number that a browser counts to stays one
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(max_length=1000)]
Text = Annotated[str, Field(max_length=100_000)]


def _require_countable(value: JsonValue) -> JsonValue:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, int | float) and not abs(item) <= (LARGEST_COUNT if isinstance(item, int) else _HUGE):
            raise ValueError(
                f"a number must be finite and no larger than a browser counts, got {_shortened.repr(item)}"
            )
        pending += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return value


Plain = Annotated[JsonValue, AfterValidator(_require_countable)]  # any data, where the schema is not known here
Several = Annotated[tuple[T, ...], Field(strict=False)]  # a list in JSON


class SchemaError(LegrError, ValueError):
    """Data are not what their schema says; the message names the field, what it must be, and what it is.

    Whoever knows the file catches it, to name that and a remedy.
    """


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a file to be read; a pipe or a device is refused without waiting for it.

    Raises:
        OSError: it cannot be read.
        SchemaError: it is no plain file.
    """
    with open(path, "rb", opener=_open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise SchemaError("it is a pipe or a device, not a file")
        yield file


def read_bytes(path: Path, largest: int) -> bytes:
    """Read a whole file of at most `largest` bytes.

    Raises:
        OSError: it cannot be read.
        SchemaError: it is larger, or no plain file.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(largest + 1) if size <= largest else b""
        require_size(max(len(content), size), largest)
        return content


def require_size(size: int, largest: int) -> None:
    """Refuse a file of more than `largest` bytes.

    Raises:
        SchemaError: it is larger.
    """
    if size > largest:
        raise SchemaError(f"it must be at most {largest / MEGABYTE:g} MB large, got {size / MEGABYTE:.4g}")


def parse(text: str | bytes, schema: type[T]) -> T:
    """Read JSON by a schema.

    Raises:
        SchemaError: it is no JSON, or not of this schema.
    """
    try:
        return cast(T, _adapter(schema).validate_json(text))
    except ValidationError as error:
        raise SchemaError(in_words(error)) from None


def parse_items(text: str | bytes, schema: type[T], field: str) -> tuple[T, list[str]]:
    """Read JSON whose list `field` may hold damaged items, which are left out.

    Returns:
        What was read, and a sentence for each item that was left out.

    Raises:
        SchemaError: something else is wrong.
    """
    try:
        return _adapter(schema).validate_json(text), []
    except ValidationError as error:
        damaged: dict[Any, str] = {}
        for details in error.errors(include_url=False):
            if details["loc"][:1] != (field,) or not isinstance(dict(enumerate(details["loc"])).get(1), int):
                raise SchemaError(_in_words(details)) from None
            damaged.setdefault(details["loc"][1], _in_words(details))
    data = from_json(text)
    data[field] = [item for number, item in enumerate(data[field]) if number not in damaged]
    return build(data, schema), list(damaged.values())


def build(data: Any, schema: type[T]) -> T:
    """The same, from data that were JSON before.

    Raises:
        SchemaError: the data are not of this schema.
    """
    try:
        text = json.dumps(data)
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(f"it must be plain data ({error})") from None
    return parse(text, schema)


def _make_adapter(schema: Any) -> TypeAdapter[Any]:
    own = hasattr(schema, "__pydantic_config__")
    return TypeAdapter(schema) if own else TypeAdapter(schema, config=STRICT)


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(_make_adapter)


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


# -- errors in words -------------------------------------------------------------------------------------------

_MUST_BE: Mapping[str, str] = {
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text",
    "string_too_long": "at most {max_length} characters long",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "mapping_type": "an object",
    "dataclass_type": "an object",
    "literal_error": "{expected}",
    "too_long": "at most {max_length} items long",
}
_LONGEST = 60  # characters of a value that a sentence shows
_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = _shortened.maxlong = _LONGEST


def in_words(error: ValidationError) -> str:
    """The first of the errors that pydantic found as a clause."""
    return _in_words(error.errors(include_url=False)[0])


def _in_words(error: ErrorDetails) -> str:
    """One error of pydantic as a clause, such as "points[3].top1 must be at most 1, got 7"."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "json_invalid":
        return f"it is no JSON: {context['error']}"
    place = _place(error["loc"])
    if kind == "missing":
        return f"{place} is missing"
    if kind == "value_error":
        return str(context["error"]) if place == "it" else f"{place}: {context['error']}"
    rule = _MUST_BE.get(kind)
    words = rule.format(**context) if rule else error["msg"].removeprefix("Input should be ")
    return f"{place} must be {words}, got {_shortened.repr(error['input'])}"


def _place(location: tuple[int | str, ...]) -> str:
    """Where a value stands, such as points[3].top1; "it" for the whole."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in location)
    return "".join(parts).removeprefix(".") or "it"


def _key(text: str) -> str:
    shown = text if text.isprintable() else repr(text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
