"""Learn a study's ranking: the search, on the study's own images.

It does not know how the search works, nor what a job is.
"""

from collections.abc import Mapping
from typing import Any

import torch

from legr.commands.network import images_of, normalization_of, original
from legr.progress import Report
from legr.search.fitness import BatchStatisticsLoss
from legr.search.learn import finished_count, learn, search_settings
from legr.study.store import Study

DEFAULT_CANDIDATES = 400


def run_learn(
    study: Study, asked: Mapping[str, Any], candidates: int | None, device: torch.device, report: Report
) -> dict[str, Any]:
    """Search until `candidates` are finished; None is 400, or as many as a search already has.

    Args:
        asked: settings given by name (`SearchSettings`); None means not given.

    Raises:
        SettingsError: the search was begun with another value of a setting that is given.
        BudgetError: the budget is below the floor.
    """
    settings = search_settings(study, asked)
    study.curve("identity").step(macs=settings.budget)  # below the floor: said before anything is loaded
    done = finished_count(study, settings)
    n_candidates = candidates if candidates is not None else max(DEFAULT_CANDIDATES, done)
    fitness = None
    if done < n_candidates:
        fitness = BatchStatisticsLoss(
            original(study),
            study.ranker,
            images_of(study, report),
            normalization_of(study),
            budget=settings.budget,
            n_images=settings.images,
            seed=settings.seed,
            device=device,
        )
    return learn(study, settings, n_candidates, fitness, report)
