"""Learn a study's ranking: the search, on the study's own images.

It does not know how the search works, nor what a job is.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from legr.commands.network import images_of, normalization_of, original
from legr.progress import Report, silent
from legr.ranking.budget import BudgetCurve
from legr.search.fitness import BatchStatisticsLoss
from legr.search.learn import finished_count, learn, search_settings
from legr.study.records import SearchSettings
from legr.study.store import Study

log = logging.getLogger(__name__)

DEFAULT_CANDIDATES = 400


@dataclass(frozen=True)
class LearnPlan:
    """What a call of `learn` has to do."""

    settings: SearchSettings
    candidates: int
    finished: int

    @property
    def is_done(self) -> bool:
        """Nothing is left to evaluate."""
        return self.finished >= self.candidates


def plan_learn(study: Study, asked: Mapping[str, Any], candidates: int | None) -> LearnPlan:
    """Work out settings and what is finished already; nothing is loaded for that.

    Args:
        asked: settings given by name (`SearchSettings`); None means not given.
        candidates: None is 400, or as many as the search already has.

    Raises:
        SettingsError: the search was begun with another value of a setting that is given.
        BudgetError: the budget is below the floor.
    """
    settings = search_settings(study, asked)
    BudgetCurve(study.structure, study.ranker.rank()).step(macs=settings.budget)  # candidates have no shape
    finished = finished_count(study, settings)
    return LearnPlan(settings, max(DEFAULT_CANDIDATES, finished) if candidates is None else candidates, finished)


def run_learn(study: Study, plan: LearnPlan, device: torch.device, report: Report = silent) -> dict[str, Any]:
    """Search until the planned number of candidates is finished; a finished search returns at once."""
    settings, fitness = plan.settings, None
    if not plan.is_done:
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
        if fitness.n_images < settings.images:
            log.info("%d images are held out; candidates are scored on all of them", fitness.n_images)
    return learn(study, settings, plan.candidates, fitness, report)
