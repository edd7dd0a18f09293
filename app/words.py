"""Counts and Markdown-safe text; no Streamlit."""

import re


def plain(text: str) -> str:
    """Escape what Markdown would swallow; code in backticks stays code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_$~\[\]<>#|])", r"\\\1", part) for part in parts)


def plural(count: int, noun: str) -> str:
    """A count with its noun: 1 epoch, 1,024 units."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
