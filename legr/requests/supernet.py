"""The request that trains the networks of all budgets together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from legr.data.sizes import HEIGHTS
from legr.errors import SettingsError
from legr.requests.job import JobRequest
from legr.requests.options import option
from legr.requests.ranges import EPOCHS, FRACTION, SEED
from legr.requests.shared import DEVICE, HALF, RANKING
from legr.study.records import RankingName
from legr.training.settings import NUMBERS, with_changes
from legr.training.supernet_settings import SUPERNET_NUMBERS, SupernetSettings

_DEFAULT = SupernetSettings()
_NUMBERS = (*SUPERNET_NUMBERS, *NUMBERS)


@dataclass(frozen=True)
class SupernetRequest(JobRequest):
    """How the networks of all budgets of a ranking are trained together."""

    command = "supernet"

    epochs: int = option("Passes over the training images.", _DEFAULT.epochs, bounds=EPOCHS)
    smallest: float = option("Smallest network, as a fraction of the MACs.", _DEFAULT.smallest, bounds=FRACTION)
    sizes: tuple[int, ...] | None = option(
        "Heights of the images that networks are trained on, such as 32,28,24; by default their own alone.",
        bounds=HEIGHTS,
    )
    relearn: bool = option(
        "Learn the ranking again between the epochs of the first half, by gradient on the weights so far; the study "
        "has that order afterwards.",
        False,
    )
    distill: bool = option(
        "Learn from the original; else the whole network learns from labels, and the others from it.",
        True,
        negatable=True,
    )
    seed: int = option("Seed of the order of images and of the budgets.", _DEFAULT.seed, bounds=SEED)
    options: Mapping[str, float] = option(
        f"NAME=NUMBER: another setting, of {', '.join(_NUMBERS)}; may be repeated.", {}, flag="--option"
    )
    ranking: RankingName | None = option(RANKING)
    half: bool = option(HALF, False)
    device: str = option(DEVICE, "auto")

    @classmethod
    def for_settings(cls, settings: SupernetSettings, ranking: RankingName, *, half: bool) -> "SupernetRequest":
        """A run with these settings."""
        options = {name: value for name in _NUMBERS if (value := getattr(settings, name)) != getattr(_DEFAULT, name)}
        return cls(
            epochs=settings.epochs,
            smallest=settings.smallest,
            sizes=settings.sizes or None,
            relearn=settings.relearn,
            distill=settings.distill,
            seed=settings.seed,
            options=options,
            ranking=ranking,
            half=half,
        )

    @property
    def settings(self) -> SupernetSettings:
        """How to train.

        Raises:
            SettingsError: a setting is unknown or out of range.
        """
        unknown = [name for name in self.options if name not in _NUMBERS]
        if unknown:
            raise SettingsError(f"--option sets one of {', '.join(_NUMBERS)}, got {unknown[0]!r}")
        chosen = {"epochs": self.epochs, "smallest": self.smallest, "seed": self.seed}
        settings = with_changes(_DEFAULT, {**self.options, **chosen})
        return replace(settings, sizes=self.sizes or (), relearn=self.relearn, distill=self.distill)
