"""Ranges that options may have, declared once: checked, shown by `--help`, and kept by the fields of a page."""

from dataclasses import dataclass

from legr.data.shuffle import SEEDS
from legr.errors import SettingsError
from legr.ranking.limits import LARGEST

LONGEST_TEXT = 4096  # characters; a path may have as many
MOST_VALUES = 1000  # of an option that is repeated


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest and the largest value of a number, both included unless `above` is set."""

    low: int
    high: int
    above: bool = False  # the smallest value itself is excluded

    def __str__(self) -> str:
        return f"{'(' if self.above else '['}{self.low}, {self.high}]"

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high and not (self.above and value == self.low)

    def require(self, name: str, value: float) -> None:
        """Refuse a number that is out of range.

        Raises:
            SettingsError: it is.
        """
        if value not in self:
            raise SettingsError(f"{name} must be in {self}, got {value}")


FRACTION = Bounds(0, 1, above=True)
AMOUNT = Bounds(0, LARGEST, above=True)
SEED = Bounds(0, SEEDS - 1)
EPOCHS = Bounds(1, 10_000)
PASSES = Bounds(1, 1_000_000)
IMAGES = Bounds(2, 10_000_000)
SGD_STEPS = Bounds(0, 100_000)
WORKERS = Bounds(1, 64)
BATCH = Bounds(1, 4096)
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


def require_count(name: str, count: int) -> None:
    """Refuse an option that is repeated more often than makes sense.

    Raises:
        SettingsError: it is.
    """
    if count > MOST_VALUES:
        raise SettingsError(f"{name} must have at most {MOST_VALUES} values, got {count}")
