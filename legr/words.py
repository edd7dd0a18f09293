"""Counts in words."""


def plural(count: int, noun: str) -> str:
    """A count with its noun: 1 epoch, 1,024 units."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
