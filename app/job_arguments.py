"""What the arguments of a job say."""

from collections.abc import Sequence

from legr.arguments import option_of
from legr.jobs.records import Job
from legr.ranking.limits import QUANTITIES


def option(arguments: Sequence[str], name: str, otherwise: str | float) -> str:
    """The value of an option among the arguments of a job."""
    place = arguments.index(name) + 1 if name in arguments else len(arguments)
    return arguments[place] if place < len(arguments) else str(otherwise)


def budget_of(job: Job) -> str:
    """The budget that a job was started with, in words."""
    given = [(QUANTITIES[name], limit) for name, limit in limits_of(job).items()]
    return " and ".join(
        f"{limit:g} {unit.words}" if unit.size else f"{100 * limit:g} % of {unit.words}" for unit, limit in given
    )


def limits_of(job: Job) -> dict[str, float]:
    """The limits of that budget by name, as `Budget` takes them."""
    return limits_in(job.arguments)


def limits_in(arguments: Sequence[str]) -> dict[str, float]:
    """The limits that arguments of a command ask for, by name, as `Budget` takes them."""
    given = {name: option(arguments, option_of(name), "") for name in QUANTITIES}
    return {name: float(limit) for name, limit in given.items() if limit}
