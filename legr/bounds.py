"""The range that a number may have, as it is checked and as people read it: [1, 64], or (0, 1]."""

from dataclasses import dataclass

from legr.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest and the largest value of a number, both included unless said otherwise."""

    low: int
    high: int
    above: bool = False  # the smallest value itself is excluded
    below: bool = False  # the largest value itself is excluded

    def __str__(self) -> str:
        return f"{'(' if self.above else '['}{self.low}, {self.high}{')' if self.below else ']'}"

    def __contains__(self, value: float) -> bool:
        inside = self.low <= value <= self.high
        return inside and not (self.above and value == self.low) and not (self.below and value == self.high)

    def require(self, name: str, value: float) -> None:
        """Refuse a number that is out of range.

        Raises:
            SettingsError: it is.
        """
        if value not in self:
            shown = f"{value:g}" if isinstance(value, float) else value
            raise SettingsError(f"{name} must be in {self}, got {shown}")
