"""Rows of tables in Markdown."""

from collections.abc import Iterator


def header(*names: str) -> Iterator[str]:
    """The names of the columns, and the line below them."""
    yield line(*names)
    yield "|" + "---|" * len(names)


def line(*values: object) -> str:
    """One row."""
    return f"| {' | '.join(map(str, values))} |"
