"""A frozen dataclass that is stored or printed as JSON: to and from plain dicts."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin, get_type_hints

from pydantic import ConfigDict
from pydantic.fields import FieldInfo

from legr.schema import STRICT, build


class Record:
    """Base of dataclasses that have a form in JSON; unknown keys of a later version are ignored.

    The hints of the fields are the schema; a field that has another key in JSON says so with `Field(alias=…)`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, its keys in the order of the fields."""
        return {key: _plain(getattr(self, name)) for name, key in _keys(type(self)).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a record; raises SchemaError, a ValueError, where the data are not one."""
        return build(data, cls)


def _find_keys(record: Any) -> dict[str, str]:
    """The keys of a record in JSON, by the names of its fields."""
    hints = get_type_hints(record, include_extras=True)
    return {f.name: _alias(hints[f.name]) or f.name for f in fields(record)}


_keys: Callable[[Any], dict[str, str]] = cache(_find_keys)


def _alias(hint: Any) -> str | None:
    declared = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((info.alias for info in declared if isinstance(info, FieldInfo) and info.alias), None)


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
