"""Counts, and text that Markdown shows as it is; no Streamlit."""

from legr.escape import in_markdown as plain

__all__ = ["plain", "plural"]


def plural(count: int, noun: str) -> str:
    """A count with its noun: 1 epoch, 1,024 units."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
