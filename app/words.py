"""Counts, and text that Markdown shows as it is; no Streamlit."""

from legr.escape import in_markdown as plain
from legr.words import plural

__all__ = ["plain", "plural"]
