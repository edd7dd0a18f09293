"""Ranges that options may have, declared once: checked, shown by `--help`, and kept by the fields of a page."""

import math
from collections.abc import Mapping

from legr.bounds import Bounds
from legr.errors import SettingsError
from legr.ranking.limits import LARGEST
from legr.training.settings import RANGES

LONGEST_TEXT = 4096  # characters; a path may have as many
MOST_VALUES = 1000  # of an option that is repeated


FRACTION = Bounds(0, 1, above=True)
AMOUNT = Bounds(0, LARGEST, above=True)
SEED, EPOCHS = RANGES["seed"], RANGES["epochs"]
COSINE = Bounds(0, 1)
PASSES = Bounds(1, 1_000_000)
IMAGES = Bounds(2, 10_000_000)
SGD_STEPS = Bounds(0, 100_000)
WORKERS = Bounds(1, 64)
BATCH = Bounds(1, 4096)
MULTIPLE = Bounds(1, 32)
OPSET = Bounds(11, 23)
THREADS = Bounds(1, 1024)  # and no more than this machine has, where they are used
IMAGE_NUMBER = Bounds(1, 10_000_000)
CLASSES = Bounds(1, 100_000)
PORT = Bounds(1, 65_535)


def require_text(name: str, text: str) -> None:
    """Refuse a text that is longer than any that makes sense.

    Raises:
        SettingsError: it is.
    """
    if len(text) > LONGEST_TEXT:
        raise SettingsError(f"{name} must have at most {LONGEST_TEXT} characters, got {len(text)}")


def require_unicode(name: str, text: str) -> None:
    """Refuse a path with bytes that are no UTF-8: no file of a study, no page and no JSON can hold it.

    Raises:
        SettingsError: it has some.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"{name} must be text in UTF-8, got {text!a}; rename it") from None


def require_count(name: str, count: int) -> None:
    """Refuse an option that is repeated more often than makes sense.

    Raises:
        SettingsError: it is.
    """
    if count > MOST_VALUES:
        raise SettingsError(f"{name} must have at most {MOST_VALUES} values, got {count}")


def require_finite(numbers: Mapping[str, float]) -> None:
    """Refuse what is no number; the range of each is its owner's affair.

    Raises:
        SettingsError: one is infinite, or not a number.
    """
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise SettingsError(f"{name} must be a finite number, got {number:g}")
