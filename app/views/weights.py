"""The weights that a network has, and which are chosen: on See it, for an export, and by the map of networks."""

from collections.abc import Sequence
from typing import Literal

from app import state
from legr.structure.types import Keep
from legr.study.records import RankingName
from legr.study.store import Study
from legr.study.supernets import SupernetRun
from legr.study.trained import TrainedRun, trained_runs

Weights = Literal["finetuned", "together", "pruned"]
WEIGHTS: dict[Weights, str] = {"finetuned": "Fine-tuned", "together": "Trained together", "pruned": "As pruned"}
VIEW_KEY = "weights"


def weights_of(
    study: Study, ranking: RankingName, keep: Keep, height: int | None = None
) -> dict[Weights, TrainedRun | None]:
    """The weights that a network of a ranking has, by what they are; those that are handed out come first.

    Args:
        height: of the images that it takes; None: the study's own.
    """
    runs = trained_runs(study, keep, ranking, height)
    trained: dict[Weights, TrainedRun | None] = {
        "together" if isinstance(run, SupernetRun) else "finetuned": run for run in runs
    }
    return {**trained, "pruned": None}


def chosen_weights(found: Sequence[Weights]) -> Weights:
    """The weights that are chosen in the view, of those that a network has; else the first."""
    return state.view(VIEW_KEY, found)


def set_weights(weights: Weights) -> None:
    """Choose the weights of the network. Call only from a Streamlit callback."""
    state.remember_view(VIEW_KEY, weights)
