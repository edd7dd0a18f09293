"""A frozen dataclass that is stored or printed as JSON: to and from plain dicts."""

from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, fields, is_dataclass
from typing import Any, Self

_KEY, _READ = "json key", "json reader"


def stored(key: str | None = None, read: Callable[[Any], Any] | None = None) -> dict[str, Any]:
    """`metadata` of a dataclass field whose JSON differs from it.

    Args:
        key: its name in JSON; None is the name of the field.
        read: makes the value from JSON; None takes it as it is.
    """
    return {_KEY: key, _READ: read}


class Record:
    """Base of dataclasses that have a form in JSON; unknown keys of a later version are ignored."""

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, its keys in the order of the fields."""
        return {_key(f): _plain(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a record; raises TypeError where a field without a default is missing."""
        return cls(**values_of(cls, data))


def values_of(cls: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the fields of a record that are there in JSON, by the names of the fields."""
    known = ((f, data[_key(f)]) for f in fields(cls) if _key(f) in data)
    return {f.name: (f.metadata.get(_READ) or _as_it_is)(value) for f, value in known}


def _key(f: "Field[Any]") -> str:
    return f.metadata.get(_KEY) or f.name


def _as_it_is(value: Any) -> Any:
    return value


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
