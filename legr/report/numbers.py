"""Numbers of a report as people read them, with the digits that the pages show in a browser."""

import math
from decimal import ROUND_HALF_UP, Decimal

from legr.charts.measurements import Reading

_MINUS = "\u2212"


def percent(fraction: float) -> str:
    """An accuracy: "92.0 %"."""
    return f"{_rounded(100 * fraction, 1)} %"


def milliseconds(value: float) -> str:
    """A time with as few digits as a sentence needs, two at least: 0.12, 5.0, 143."""
    small = min(6, 1 - math.floor(math.log10(value))) if 0 < value < 1 else 1
    return _rounded(value, 0 if value >= 100 else small)


def share(fraction: float) -> str:
    """A share of the work in whole per cent; with a decimal where it is small, or where whole ones would say all."""
    part = 100 * fraction
    return f"{_rounded(part, 0 if 10 <= part < 99.5 or part >= 100 else 1)} %"


def signed(value: float, digits: int) -> str:
    """A difference with its sign; one that shows as nothing is 0."""
    text = _rounded(abs(value), digits)
    return "0" if float(text) == 0 else f"{_MINUS if value < 0 else '+'}{text}"


def points_between(own: float, other: float) -> float:
    """The difference of two accuracies as they are shown, with one decimal: what one would subtract."""
    return float(_rounded(100 * own, 1)) - float(_rounded(100 * other, 1))


def about(reading: Reading | None) -> str:
    """A ~ before what was not measured at this very network."""
    return "~" if reading and not reading.measured else ""


def _rounded(value: float, digits: int) -> str:
    """Half-way values go up, as in a browser: 92.25 is 92.3. Python's own formats would take the even digit."""
    return str(Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
