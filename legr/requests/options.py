"""Options as fields of a dataclass. From one declaration come:

the options of the command line       `legr.cli.options.with_options`
the arguments of another process      `Request.arguments`, read back by `Request.from_arguments`
the data in the record of a job       `Request.to_dict`, read back by `Request.from_dict`
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self, get_type_hints

from legr.arguments import option_of
from legr.bounds import Bounds
from legr.errors import BudgetError, SettingsError
from legr.requests.forms import Form, Pair, form_of
from legr.requests.ranges import require_count, require_finite, require_text, require_unicode


@dataclass(frozen=True, slots=True)
class Shown:
    """How the command line shows an option.

    Attributes:
        help: one line for `--help`.
        flag: such as "--input"; "" is made of the field's name.
        hidden: left out of `--help`; for options that only the program itself gives.
        negatable: of a switch: it has a --no- flag as well.
        bounds: of a number, or of each of several.
    """

    help: str = ""
    flag: str = ""
    hidden: bool = False
    negatable: bool = False
    bounds: Bounds | None = None


def option(help: str, default: Any = None, **shown: Any) -> Any:
    """Declare a field of a request.

    Args:
        default: MISSING where the option must be given.
        shown: see `Shown`.
    """
    metadata = {"shown": Shown(help, **shown)}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Option:
    """One option: the field it is declared by, its flag and its form."""

    name: str
    flag: str
    form: Form
    shown: Shown
    default: Any  # MISSING: it must be given

    @property
    def flags(self) -> tuple[str, ...]:
        """Every flag that gives it."""
        return self.form.flags(self.flag)

    @property
    def help(self) -> str:
        """One line for `--help`, with the range of a number."""
        return f"{self.shown.help} In {self.shown.bounds}." if self.shown.bounds else self.shown.help

    def check(self, value: Any) -> None:
        """Refuse a value that is out of range or too long.

        Raises:
            SettingsError: it is.
        """
        name = self.flag.removeprefix("--")
        if isinstance(value, Mapping):
            require_finite(value)
        parts = list(value) if isinstance(value, Mapping) else value
        parts = parts if isinstance(parts, (list, tuple)) else [parts]
        require_count(name, len(parts))
        for part in parts:
            if isinstance(part, (str, Path)):
                require_text(name, str(part))
                require_unicode(name, str(part))
            elif self.shown.bounds and isinstance(part, (int, float)):
                self.shown.bounds.require(name, part)


class Request:
    """Parent of all requests, which are frozen dataclasses. Their fields are made with `option`.

    Attributes:
        command: name of the command that takes the request.
    """

    command: ClassVar[str]

    def arguments(self) -> list[str]:
        """The arguments that ask for the same, such as ["--macs", "0.5"]; defaults are left out."""
        return [part for option, value in self._given() for part in option.form.write(option.flag, value)]

    def full_arguments(self) -> list[str]:
        """The arguments with numbers and words that are defaults, for a record that a later version may read.

        The device is left out, and a switch that stands as it does by default: not every switch can be turned off.
        """
        values = ((option, getattr(self, option.name)) for option in options_of(type(self)))
        stated = ((o, v) for o, v in values if v is not None and o.name != "device")
        return [
            part
            for option, value in stated
            if not (isinstance(value, bool) and value == option.default)
            for part in option.form.write(option.flag, value)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; defaults are left out."""
        return {option.name: option.form.dump(value) for option, value in self._given()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a request; names that this version does not know are ignored.

        Raises:
            SettingsError: a value has another type than its option, or a required one is missing.
        """
        values = {}
        for option in options_of(cls):
            if data.get(option.name) is None:
                continue
            try:
                values[option.name] = option.form.load(data[option.name])
            except (TypeError, ValueError, BudgetError) as error:
                raise SettingsError(f"{option.name} cannot be read ({error})") from error
        return cls.of(values)

    @classmethod
    def from_arguments(cls, arguments: Sequence[str]) -> Self:
        """Read arguments as `arguments` writes them.

        Raises:
            SettingsError: a flag is unknown or has no value, or a value cannot be read.
        """
        by_flag = {flag: option for option in options_of(cls) for flag in option.flags}
        pairs: dict[str, list[Pair]] = {}
        rest = iter(arguments)
        for flag in rest:
            if flag not in by_flag:
                raise SettingsError(f"{cls.command} has no option {flag!r}")
            text = next(rest, None) if by_flag[flag].form.has_value else ""
            if text is None:
                raise SettingsError(f"{flag} needs a value")
            pairs.setdefault(by_flag[flag].name, []).append((flag, text))
        return cls.of({o.name: o.form.read(pairs[o.name]) for o in options_of(cls) if o.name in pairs})

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Build a request from the values that were given; None counts as not given.

        Raises:
            SettingsError: a required one is missing, or one is out of range.
        """
        for option in options_of(cls):
            option.check(values.get(option.name))
        for option in options_of(cls):
            if option.default is MISSING and values.get(option.name) is None:
                what = f": {option.shown.help.rstrip('.')}" if option.shown.help else ""
                raise SettingsError(option.form.missing(cls.command, option.flag) + what)
        return cls(**{name: value for name, value in values.items() if value is not None})

    def _given(self) -> list[tuple[Option, Any]]:
        """Options that differ from their defaults, with their values."""
        values = ((option, getattr(self, option.name)) for option in options_of(type(self)))
        return [(option, value) for option, value in values if value is not None and value != option.default]


def options_of(request: type[Request]) -> tuple[Option, ...]:
    """The options of a request, in the order of its fields."""
    hashable: Any = request  # which mypy does not believe of the type of a dataclass
    return _options(hashable)


@cache  # a page reads the record of every job, whenever it runs
def _options(request: Any) -> tuple[Option, ...]:
    hints, options = get_type_hints(request), []
    for declared in fields(request):
        shown: Shown = declared.metadata["shown"]
        default = declared.default_factory() if declared.default_factory is not MISSING else declared.default
        flag = shown.flag or option_of(declared.name)
        options.append(Option(declared.name, flag, form_of(hints[declared.name]), shown, default))
    return tuple(options)
