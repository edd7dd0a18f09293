"""The forms that a value of an option has: text on a command line, data in a JSON file, a value in Python.

One class a type of field. `form_of` finds the class for a type hint.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from legr.arguments import numbers_of, option_of, shortened
from legr.errors import SettingsError
from legr.ranking.limits import PROFILE, QUANTITIES, Budget

Pair = tuple[str, str]  # a flag as it was given, and its value; "" for a switch


class Form(ABC):
    """How values of one type are written and read. None is "not given" in every form, and is never written."""

    has_value = True  # a text follows the flag

    def flags(self, flag: str) -> tuple[str, ...]:
        """Every flag of the option."""
        return (flag,)

    @abstractmethod
    def write(self, flag: str, value: Any) -> list[str]:
        """The arguments that give this value."""

    @abstractmethod
    def read(self, pairs: Sequence[Pair]) -> Any:
        """The value of an option that was given once or more.

        Raises:
            SettingsError: a text cannot be read.
        """

    def dump(self, value: Any) -> Any:
        """The value as JSON has it."""
        return value

    @abstractmethod
    def load(self, data: Any) -> Any:
        """The value of what JSON has; raises TypeError or ValueError for anything else."""

    def missing(self, command: str, flag: str) -> str:
        """The message where a required option is not given."""
        return f"{command} needs {flag}"


@dataclass(frozen=True, slots=True)
class Scalar(Form):
    """One number, text or path."""

    kind: type

    def write(self, flag: str, value: Any) -> list[str]:
        return [flag, str(value)]

    def read(self, pairs: Sequence[Pair]) -> Any:
        flag, text = pairs[-1]
        try:
            return self.kind(text)
        except ValueError:
            raise SettingsError(f"{flag} takes {_ARTICLES[self.kind]}, got {shortened(text)}") from None

    def dump(self, value: Any) -> Any:
        return str(value) if self.kind is Path else value

    def load(self, data: Any) -> Any:
        wanted = {float: (int, float), Path: (str,)}.get(self.kind, (self.kind,))
        if isinstance(data, bool) or not isinstance(data, wanted):
            raise TypeError(f"{_ARTICLES[self.kind]} is needed, got {data!r}")
        if isinstance(data, float) and not math.isfinite(data):
            raise ValueError(f"a finite number is needed, got {data}")
        return self.kind(data)


_ARTICLES: dict[type, str] = {int: "a whole number", float: "a number", str: "a text", Path: "a path"}


@dataclass(frozen=True, slots=True)
class Choice(Form):
    """One of some words."""

    words: tuple[str, ...]

    def write(self, flag: str, value: Any) -> list[str]:
        return [flag, str(value)]

    def read(self, pairs: Sequence[Pair]) -> Any:
        flag, text = pairs[-1]
        if text not in self.words:
            raise SettingsError(f"{flag} must be one of {', '.join(self.words)}, got {shortened(text)}")
        return text

    def load(self, data: Any) -> Any:
        if data not in self.words:
            raise ValueError(f"one of {', '.join(self.words)} is needed, got {data!r}")
        return data


@dataclass(frozen=True, slots=True)
class Switch(Form):
    """Yes or no: --again, or --distill and --no-distill."""

    has_value = False

    def flags(self, flag: str) -> tuple[str, ...]:
        return flag, flag.replace("--", "--no-", 1)

    def write(self, flag: str, value: Any) -> list[str]:
        return [self.flags(flag)[0 if value else 1]]

    def read(self, pairs: Sequence[Pair]) -> Any:
        return not pairs[-1][0].startswith("--no-")

    def load(self, data: Any) -> Any:
        if not isinstance(data, bool):
            raise TypeError(f"true or false is needed, got {data!r}")
        return data


@dataclass(frozen=True, slots=True)
class Separated(Form):
    """Several numbers of one type, separated by commas."""

    kind: type
    words: str  # such as "whole numbers"
    example: str

    def write(self, flag: str, value: Any) -> list[str]:
        return [flag, ",".join(map(str, value))]

    def read(self, pairs: Sequence[Pair]) -> Any:
        flag, text = pairs[0][0], " ".join(text for _, text in pairs)
        try:
            return tuple(self.kind(part) for part in re.split(r"\s*,\s*|\s+", text.strip()))
        except ValueError:
            raise SettingsError(
                f"{flag} takes {self.words} separated by commas, such as {self.example}, got {shortened(text)}"
            ) from None

    def dump(self, value: Any) -> Any:
        return list(value)

    def load(self, data: Any) -> Any:
        return tuple(Scalar(self.kind).load(number) for number in _as_list(data))


@dataclass(frozen=True, slots=True)
class Fractions(Separated):
    """Several fractions, such as 0.3,0.5; "all" is (): every one there is."""

    kind: type = float
    words: str = "fractions"
    example: str = "0.3,0.5"

    def write(self, flag: str, value: Any) -> list[str]:
        return Separated.write(self, flag, value) if value else [flag, "all"]

    def read(self, pairs: Sequence[Pair]) -> Any:
        return () if [text for _, text in pairs] == ["all"] else Separated.read(self, pairs)


@dataclass(frozen=True, slots=True)
class Texts(Form):
    """Several texts; the flag is repeated for each."""

    def write(self, flag: str, value: Any) -> list[str]:
        return [part for text in value for part in (flag, text)]

    def read(self, pairs: Sequence[Pair]) -> Any:
        return tuple(text for _, text in pairs)

    def dump(self, value: Any) -> Any:
        return list(value)

    def load(self, data: Any) -> Any:
        return tuple(Scalar(str).load(text) for text in _as_list(data))


@dataclass(frozen=True, slots=True)
class Numbers(Form):
    """Numbers by name, such as mutate=0.2; the flag is repeated for each."""

    def write(self, flag: str, value: Any) -> list[str]:
        return [part for name, number in value.items() for part in (flag, f"{name}={number!r}")]

    def read(self, pairs: Sequence[Pair]) -> Any:
        return numbers_of([text for _, text in pairs])

    def dump(self, value: Any) -> Any:
        return dict(value)

    def load(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise TypeError(f"numbers by name are needed, got {data!r}")
        return {Scalar(str).load(name): Scalar(float).load(number) for name, number in data.items()}


@dataclass(frozen=True, slots=True)
class Limits(Form):
    """A budget: one flag for each quantity that can be limited, and one for the device."""

    def flags(self, flag: str) -> tuple[str, ...]:
        return tuple(option_of(name) for name in (*QUANTITIES, PROFILE))

    def write(self, flag: str, value: Any) -> list[str]:
        return [part for name, stated in value.stated.items() for part in (option_of(name), str(stated))]

    def read(self, pairs: Sequence[Pair]) -> Any:
        names = {option_of(name): name for name in (*QUANTITIES, PROFILE)}
        return Budget(**{names[flag]: self._form(names[flag]).read([(flag, text)]) for flag, text in pairs})

    def dump(self, value: Any) -> Any:
        return value.stated

    def load(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise TypeError(f"limits by name are needed, got {data!r}")
        unknown = [name for name in data if name not in (*QUANTITIES, PROFILE)]
        if unknown:
            raise ValueError(f"there is no quantity {unknown[0]!r}")
        return Budget(**{name: self._form(name).load(stated) for name, stated in data.items()})

    def missing(self, command: str, flag: str) -> str:
        limits = ", ".join(map(option_of, QUANTITIES))
        return f"{command} needs a budget: give one or more of {limits}, such as --macs 0.5"

    @staticmethod
    def _form(name: str) -> Scalar:
        return Scalar(str if name == PROFILE else float)


def form_of(hint: Any) -> Form:
    """The form of a field's type; T | None has the form of T."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is Literal:
        return Choice(get_args(hint))
    if get_origin(hint) is tuple:
        several: dict[type, Form] = {float: Fractions(), int: Separated(int, "whole numbers", "32,24")}
        return several.get(get_args(hint)[0], Texts())
    if get_origin(hint) is not None and issubclass(get_origin(hint), Mapping):
        return Numbers()
    if hint is bool:
        return Switch()
    return Limits() if hint is Budget else Scalar(hint)


def _as_list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise TypeError(f"a list is needed, got {data!r}")
    return data
