"""How the options of a command are written down: by a job that starts one, by a record that tells what made it."""

from collections.abc import Sequence

from legr.errors import SettingsError

_LONGEST, _DIGITS = 60, 9


_SHORT = {"latency_ms": "--ms"}


def option_of(name: str) -> str:
    """The option of a parameter: --weight-mb of weight_mb."""
    return _SHORT.get(name) or "--" + name.replace("_", "-")


def plain_name(text: str) -> str:
    """A text as a part of a file's name: it may come from the record of a job, and so from elsewhere."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)


def shortened(text: str) -> str:
    """A text that was given, in quotes, for a message; of a long one the start."""
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def whole_number_of(text: str) -> int | None:
    """The number that a text of up to nine digits is; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None


def numbers_of(texts: Sequence[str]) -> dict[str, float]:
    """Settings by name, of texts such as "mutate=0.2".

    Raises:
        SettingsError: a text is not of that form.
    """
    numbers: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            numbers[name.strip()] = float(value)
        except ValueError:
            raise SettingsError(
                f"--option takes a name and a number, such as mutate=0.2, got {shortened(text)}"
            ) from None
    return numbers
