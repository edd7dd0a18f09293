"""What seven networks cost, the paper's headline: counted for ways to get them, in epochs of the original.

A table of `benchmarks.report`. Figures follow from settings alone; accuracies stand in the table of supernets.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.markdown import header, line
from benchmarks.training_cost import of_passes, of_supernet_settings, of_trainings
from legr.study.records import EFFORTS, SearchSettings
from legr.training.settings import RECIPES
from legr.training.supernet_settings import SupernetSettings

SEVEN = (0.7, 0.5, 0.3, 0.2, 0.16, 0.13, 0.1)  # of the MACs
TRAINING_IMAGES = 45_000  # of CIFAR-10; 5,000 are held out
_IMAGES = SearchSettings().images
_PUBLISHED = 400, 5_000  # candidates of LeGR's search on CIFAR-10, each scored once on so many images
_AMC = 400  # passes of one search of `learn --method rl`


@dataclass(frozen=True)
class Way:
    """A way to seven networks: cost of its searches and of its trainings, in epochs of the original."""

    label: str
    search: float
    training: float


def ways() -> Iterator[Way]:
    """All of them."""
    ours = of_passes(EFFORTS["gradient"]["Standard"], _IMAGES, TRAINING_IMAGES)
    yield Way(
        "LeGR as published: its search, then `paper` for each", of_passes(*_PUBLISHED, TRAINING_IMAGES), _each("paper")
    )
    amc = len(SEVEN) * of_passes(_AMC, _IMAGES, TRAINING_IMAGES)
    yield Way("AMC: a search for each (`learn --method rl`), then `short` for each", amc, _each("short"))
    yield Way("AMC, then `paper` for each", amc, _each("paper"))
    for recipe in ("short", "standard"):
        yield Way(f"one ranking by gradient, then `{recipe}` for each", ours, _each(recipe))
    for epochs in (6, 10, 30):
        cost = of_supernet_settings(SupernetSettings(epochs=epochs))
        yield Way(f"one ranking by gradient, then a supernet of {epochs} epochs", ours, cost)
    polish = replace(RECIPES["polish"], distill=False)  # the supernet's run has the teacher's outputs already
    each = of_trainings((polish, share, polish.epochs) for share in SEVEN)
    polished = of_supernet_settings(SupernetSettings(epochs=6)) + each
    yield Way("that of 6 epochs, then `polish` for each", ours, polished)


def table() -> Iterator[str]:
    """Rows of the table, the dearest first."""
    yield from header("", "searches", "trainings", "all")
    for way in sorted(ways(), key=lambda way: -(way.search + way.training)):
        costs = (way.search, way.training, way.search + way.training)
        yield line(way.label, *(f"{cost:.1f}" for cost in costs))


def _each(recipe: str) -> float:
    settings = RECIPES[recipe]
    return of_trainings((settings, share, settings.epochs) for share in SEVEN)
