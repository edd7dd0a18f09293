"""Regularised ("ageing") evolution over the affine maps, as an Optuna sampler (LeGR, algorithm 1).

It does not know networks or losses. Everything random about candidate i comes from (seed, i) alone, and
its pool from the candidates before it: a search that was killed proposes the same candidates again.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study as OptunaStudy
from optuna.trial import FrozenTrial, TrialState

from legr.ranking.types import Affine, FloatArray
from legr.study.records import SearchSettings

Finished = tuple[Affine, float]  # a candidate and its loss

_SHRINKING = 500  # candidates over which the mutation step goes from 1 to 0 (the reference's 1.25 * 400)
_SMALLEST_STEP = 0.2  # the step of candidate 400: a search that is extended goes on with it


def propose(number: int, finished: Sequence[Finished], deviations: FloatArray, settings: SearchSettings) -> Affine:
    """Return candidate `number`.

    Candidate 0 is the identity; the rest of the first `settings.pool` are random:
    alpha = exp(N(0, 1)), kappa = N(0, std of the layer's norms). Then `settings.draw` members of the
    pool are drawn with replacement, the best is mutated, and the child replaces the oldest member.

    Args:
        finished: candidates 0 .. number - 1 with their losses, in order.
        deviations: float64[L], standard deviation of each layer's norms.
    """
    assert len(finished) == number, "candidates are proposed one after the other"
    n_layers = len(deviations)
    if number == 0:
        return Affine.identity(n_layers)
    rng = np.random.default_rng([settings.seed, number])
    if number < settings.pool:
        return Affine(np.exp(rng.normal(size=n_layers)), rng.normal(size=n_layers) * deviations)
    pool = _pool(finished, settings.pool)
    drawn = rng.integers(len(pool), size=settings.draw)
    parent = min((pool[i] for i in drawn.tolist()), key=lambda member: member[1])[0]
    touched = rng.choice(n_layers, size=max(1, int(settings.mutate * n_layers)), replace=False)
    step = max(1 - number / _SHRINKING, _SMALLEST_STEP)
    alpha, kappa = parent.alpha.copy(), parent.kappa.copy()
    alpha[touched] *= np.exp(rng.normal(size=len(touched)) * step)
    kappa[touched] += rng.normal(size=len(touched)) * deviations[touched]
    return Affine(alpha, kappa)


def _pool(finished: Sequence[Finished], size: int) -> Sequence[Finished]:
    """The youngest `size` members; of the first ones the identity counts as the youngest.

    By its number it would be the oldest, and gone after a single draw: on a ResNet-56, where few random
    maps come near it, 400 candidates then never find the way back.
    """
    return [*finished[1:size], finished[0], *finished[size:]][-size:]


class AgeingEvolution(BaseSampler):
    """Gives each new trial its candidate number and map, as the user attributes "candidate" and "affine".

    A trial that was killed stays RUNNING in Optuna's storage; its candidate number is given out again.
    """

    def __init__(self, deviations: FloatArray, settings: SearchSettings) -> None:
        self._deviations = deviations
        self._settings = settings

    def before_trial(self, study: OptunaStudy, trial: FrozenTrial) -> None:
        """Choose the trial's candidate."""
        finished = finished_candidates(study)
        affine = propose(len(finished), finished, self._deviations, self._settings)
        plain = {"alpha": affine.alpha.tolist(), "kappa": affine.kappa.tolist()}
        for key, value in (("candidate", len(finished)), ("affine", plain)):
            trial.set_user_attr(key, value)
            study._storage.set_trial_user_attr(trial._trial_id, key, value)

    def infer_relative_search_space(self, study: OptunaStudy, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """No parameters: a map is one attribute, which costs a thirtieth of 110 parameters."""
        return {}

    def sample_relative(
        self, study: OptunaStudy, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """No parameters."""
        return {}

    def sample_independent(
        self, study: OptunaStudy, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Refused: the map is in the trial's attributes."""
        raise AssertionError(f"read trial.user_attrs['affine'] instead of suggesting {param_name}")


def finished_candidates(study: OptunaStudy) -> list[Finished]:
    """Candidates 0, 1, 2 … with their losses, up to the first that is not finished."""
    by_number: dict[int, FrozenTrial] = {}
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        by_number.setdefault(trial.user_attrs["candidate"], trial)
    found: list[Finished] = []
    while len(found) in by_number:
        trial = by_number[len(found)]
        assert trial.value is not None
        found.append((Affine.of(**trial.user_attrs["affine"]), trial.value))
    return found
