"""How the original of a study does on held-out images, and whether that is better than guessing. No torch."""

from dataclasses import dataclass
from math import exp, lgamma, log
from typing import Annotated

from pydantic import Field

from legr.record import Record
from legr.schema import Share

_DOUBT = 0.01  # the chance at which guessing does as well that counts as "no better"
_NAMES = 5  # classes that a sentence lists


@dataclass(frozen=True)
class HeldoutScore(Record):
    """Top-1 of the original network when its study was made, in float32 and with its own statistics."""

    top1: Share
    images: Annotated[int, Field(ge=1, le=10_000)]

    def no_better_than_guessing(self, num_classes: int) -> bool:
        """Whether guessing among the classes gets as many right with a probability of 1 % or more."""
        right = round(self.top1 * self.images)
        return num_classes > 1 and _at_least(right, self.images, 1 / num_classes) >= _DOUBT


def _at_least(right: int, images: int, chance: float) -> float:
    """The probability of at least `right` hits in `images` guesses (the upper tail of a binomial distribution)."""

    def probability(k: int) -> float:
        ways = lgamma(images + 1) - lgamma(k + 1) - lgamma(images - k + 1)
        return exp(ways + k * log(chance) + (images - k) * log(1 - chance))

    return sum(map(probability, range(right, images + 1)))


def warning_of(score: HeldoutScore | None, classes: tuple[str, ...], *, random_weights: bool) -> str | None:
    """What is wrong with an original that does no better than guessing, and the remedy; None where it does better.

    Args:
        classes: of the study, in the order of the network's outputs.
        random_weights: it was made without weights.
    """
    if score is None or not score.no_better_than_guessing(len(classes)):
        return None
    found = (
        f"the original gets {100 * score.top1:.1f} % of {score.images} held-out images right, which is no better than "
        f"guessing among {len(classes)} classes"
    )
    if random_weights:
        return f"{found}: its weights are random; train them with `python -m legr train`, then make a study of those"
    names = ", ".join(classes[:_NAMES]) + (", …" if len(classes) > _NAMES else "")
    return (
        f"{found}; if the outputs of its weights are in another order than {names}, make the study again with "
        "--outputs and the classes in that order, else with another --normalize or other weights"
    )
