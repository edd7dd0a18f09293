"""Options that several commands share, and the options of a command from the request that it takes."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING
from functools import wraps
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import typer

from legr.arguments import option_of
from legr.bounds import Bounds
from legr.errors import LegrError
from legr.ranking.limits import PROFILE, QUANTITIES, Budget
from legr.requests.forms import Choice, Form, Limits, Numbers, Scalar, Separated, Switch, Texts
from legr.requests.options import Option, Request, options_of
from legr.requests.ranges import AMOUNT, FRACTION, require_count, require_text
from legr.requests.shared import RANKING
from legr.study.records import RankingName

StudyPath = Annotated[Path, typer.Option("--study", help="Folder of the study.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
JobId = Annotated[str | None, typer.Option("--job", hidden=True)]
Ranking = Annotated[RankingName | None, typer.Option(help=RANKING)]
FineTuned = Annotated[bool, typer.Option("--finetuned/--no-finetuned", help="Use fine-tuned weights.")]

_LIMITS = {
    "macs": "Budget: at most this fraction of the original's MACs.",
    "params": "Budget: fraction of its parameters.",
    "activation": "Budget: fraction of its activation memory.",
    "mmacs": "Budget: million MACs.",
    "weight_mb": "Budget: megabytes of float32 weights.",
    "activation_mb": "Budget: megabytes of activations at the fullest moment.",
    "latency": "Budget: fraction of its latency on the device of --device-profile, as predicted.",
    "latency_ms": "Budget: milliseconds of a forward pass on that device, as predicted.",
    "fps": "Budget: forward passes a second on that device, at least.",
}
_WHOLE = {"macs": 1.0}  # where a budget need not be given
_PROFILE = "Device that the network is for, by its profile: every budget then leads to a network that is faster there."


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of its parameters that are no options themselves.

    In place of a parameter of a `Request` type come the options of that request; in place of one of the type Budget
    or Budget | None come the limits of a budget, and the parameter is None without any.
    """
    parameters = inspect.signature(command).parameters.values()
    requests = {p.name: p.annotation for p in parameters if _is_request(p.annotation)}
    budgets = {p.name for p in parameters if p.annotation in (Budget, Budget | None)}

    @wraps(command)
    def called(**given: Any) -> None:
        try:
            for name, value in given.items():
                _require_texts(name, value)
            for name, request in requests.items():
                given[name] = request.of({option.name: _value(option, given) for option in options_of(request)})
            for name in budgets:
                given[name] = _budget(given, _WHOLE)
            command(**given)
        except LegrError as error:
            if given.get("job"):  # pages show it, however early a job fails
                from legr.jobs.register import note_failure

                note_failure(given["job"], str(error))
            raise

    shown: list[inspect.Parameter] = []
    for parameter in parameters:
        if parameter.name in requests:
            shown += (p for option in options_of(requests[parameter.name]) for p in _parameters(option))
        elif parameter.name in budgets:
            shown += _limits()
        else:
            shown.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
    called.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in shown}
    return called


def number(help: str, bounds: Bounds, flag: str) -> Any:
    """Declare a number that is no part of a request.

    Args:
        flag: such as "--port".
    """

    def check(value: float | None) -> float | None:
        if value is not None:
            bounds.require(flag.removeprefix("--"), value)
        return value

    return typer.Option(flag, help=f"{help} In {bounds}.", callback=check)


def _require_texts(name: str, value: object) -> None:
    """Refuse longer texts and lists than make sense, in every option; what is in a list is its reader's affair."""
    if isinstance(value, list):
        require_count(name, len(value))
    elif isinstance(value, str | Path):
        require_text(name, str(value))


def _is_request(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Request)


def _parameters(option: Option) -> Iterator[inspect.Parameter]:
    """The parameters of Typer that an option has: one, or one for each quantity of a budget."""
    if isinstance(option.form, Limits):
        yield from _limits()
        return
    needed = " [required]" if option.default is MISSING else ""  # said by the request itself where it is missing
    declared = typer.Option(_flags(option), help=option.help + needed, hidden=option.shown.hidden)
    simple = isinstance(option.form, (Scalar, Choice, Switch))
    default = option.default if simple and option.default is not MISSING else None
    hint = _hint(option.form) if default is not None else _hint(option.form) | None
    yield _parameter(option.name, default, Annotated[hint, declared])


def _flags(option: Option) -> str:
    return "/".join(option.flags) if isinstance(option.form, Switch) and option.shown.negatable else option.flag


def _hint(form: Form) -> Any:
    """The type that Typer reads an option as; lists are read by the form itself."""
    if isinstance(form, Scalar):
        return form.kind
    if isinstance(form, Choice):
        return Literal[form.words]
    return bool if isinstance(form, Switch) else list[str]


def _value(option: Option, given: dict[str, Any]) -> Any:
    """Take the value of an option out of what Typer has read."""
    if isinstance(option.form, Limits):
        return _budget(given)
    value = given.pop(option.name)
    if isinstance(option.form, (Separated, Numbers, Texts)):
        return option.form.read([(option.flag, text) for text in value]) if value else None
    return value


def _limits() -> list[inspect.Parameter]:
    """One parameter for each quantity that a budget can limit."""
    ranges = {name: FRACTION if quantity.size is None else AMOUNT for name, quantity in QUANTITIES.items()}
    shown = {name: typer.Option(option_of(name), help=f"{_LIMITS[name]} In {ranges[name]}.") for name in QUANTITIES}
    limits = [_parameter(name, None, Annotated[float | None, declared]) for name, declared in shown.items()]
    return [*limits, _parameter(PROFILE, None, Annotated[str | None, typer.Option(option_of(PROFILE), help=_PROFILE)])]


def _budget(given: dict[str, Any], unlimited: Mapping[str, float] = MappingProxyType({})) -> Budget | None:
    """Take a budget out of what Typer has read.

    Args:
        unlimited: limits where only the profile is given; none: it is not enough.
    """
    profile = given.pop(PROFILE)
    limits = {name: limit for name in QUANTITIES if (limit := given.pop(name)) is not None}
    chosen = limits or (unlimited if profile else {})
    return Budget(**chosen, device_profile=profile or "") if chosen else None


def _parameter(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
