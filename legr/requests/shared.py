"""Options that several requests have, in the same words."""

from dataclasses import MISSING
from typing import Any

from legr.requests.options import option
from legr.training.settings import NUMBERS

DEVICE = "auto, cpu or cuda."
TRAINING_NUMBERS = f"NAME=NUMBER: another setting, of {', '.join(NUMBERS)}; may be repeated."
HALF = "Round the weights to float16, which halves the file; accuracy is measured after rounding."
RANKING = "Ranking to prune by; by default one that was learned, rather at equal milliseconds, else identity."
NETWORK = "Id of the kept set; the command stops where the budget leads to another."
SIZE = "Height of the images that it takes; by default the study's own."
RUN = "Key of a fine-tuning run: its network and its weights, wherever the budget leads by now."


def budget_option() -> Any:
    """Declare a budget that must be given: one option for each quantity, whose help is in `legr.cli.options`."""
    return option("", MISSING)
