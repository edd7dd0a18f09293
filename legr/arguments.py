"""How the options of a command are written down: by a job that starts one, by a record that tells what made it."""

from collections.abc import Sequence

from legr.errors import SettingsError


def option_of(name: str) -> str:
    """The option of a parameter: --weight-mb of weight_mb."""
    return "--" + name.replace("_", "-")


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
            raise SettingsError(f"--option takes a name and a number, such as mutate=0.2, got {text!r}") from None
    return numbers
