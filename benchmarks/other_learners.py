"""Learners that lose (docs/search.md), to compare with: a hill climb, CMA-ES, and Optuna's TPE.

A sampler's state is not stored: a search that goes on draws the candidates before again, which costs milliseconds
each, and gets the same ones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import cmaes  # type: ignore[import-untyped]
import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.samplers import TPESampler
from optuna.trial import create_trial

from benchmarks.studies import CPU
from legr.commands.learn import search_of
from legr.ranking.order import Ranker
from legr.ranking.types import Affine, FloatArray
from legr.search.evolution import EvolutionSettings, mutated
from legr.search.learn import Search
from legr.search.types import Candidate, Learner, Proposal, best_of
from legr.study.records import SearchSettings
from legr.study.store import Study

_REACH = 3.0  # range of log alpha, and of kappa in standard deviations of the layer's norms


class Sampler(Protocol):
    """Draws points around the origin, float64[D], one at a time, and is told what each is worth."""

    def ask(self) -> FloatArray:
        """Draw a point."""

    def tell(self, point: FloatArray, value: float) -> None:
        """Learn the value of the point drawn last, or of the origin at the start."""


class Climb:
    """Mutates the best of all candidates, from the identity on, in half the steps of an evolution."""

    def __init__(self, deviations: FloatArray, seed: int, settings: EvolutionSettings) -> None:
        self._deviations, self._seed, self._settings = deviations, seed, settings

    def propose(self, finished: Sequence[Candidate]) -> Proposal:
        """Return a child of the best."""
        number = len(finished)
        rng = np.random.default_rng([self._seed, number])
        parent = finished[best_of(finished)].affine
        return Proposal(mutated(parent, number, rng, self._deviations, self._settings))


class Sampled:
    """Asks a sampler for log alpha and kappa of every layer.

    Args:
        sampler: its randomness comes from a seed of its own.
        deviations: float64[L], standard deviation of each layer's norms.
    """

    def __init__(self, sampler: Sampler, deviations: FloatArray) -> None:
        self._sampler, self._deviations = sampler, deviations
        self._points = [np.zeros(2 * len(deviations))]  # of candidates 0, 1, 2 …

    def propose(self, finished: Sequence[Candidate]) -> Proposal:
        """Tell the sampler what came of its proposals, and ask for the next."""
        while len(self._points) <= len(finished):
            self._sampler.tell(self._points[-1], finished[len(self._points) - 1].value)
            self._points.append(self._sampler.ask())
        log_alpha, kappa = self._points[-1].reshape(2, -1)
        return Proposal(Affine(np.exp(log_alpha), kappa * self._deviations))


class CmaEs:
    """Covariance matrix adaptation, begun at the origin; it is told a generation at a time."""

    def __init__(self, n_dims: int, seed: int, step: float) -> None:
        bounds = np.tile([-_REACH, _REACH], (n_dims, 1))
        self._cma = cmaes.CMA(mean=np.zeros(n_dims), sigma=step, bounds=bounds, seed=seed)
        self._told: list[tuple[FloatArray, float]] = []

    def ask(self) -> FloatArray:
        """Draw a point."""
        point: FloatArray = self._cma.ask()
        return point

    def tell(self, point: FloatArray, value: float) -> None:
        """Learn a value; that of the origin has no use."""
        if point.any():
            self._told.append((point, value))
        if len(self._told) == self._cma.population_size:
            self._cma.tell(self._told)
            self._told = []


class Tpe:
    """Optuna's tree-structured Parzen estimator."""

    def __init__(self, n_dims: int, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = {str(number): FloatDistribution(-_REACH, _REACH) for number in range(n_dims)}
        self._study = optuna.create_study(sampler=TPESampler(seed=seed))
        self._trial: optuna.Trial | None = None

    def ask(self) -> FloatArray:
        """Draw a point."""
        self._trial = self._study.ask(dict(self._space))
        return np.array([self._trial.params[name] for name in self._space])

    def tell(self, point: FloatArray, value: float) -> None:
        """Learn a value."""
        if self._trial is not None:
            self._study.tell(self._trial, value)
        else:
            params = dict(zip(self._space, point.tolist(), strict=True))
            self._study.add_trial(create_trial(params=params, distributions=dict(self._space), value=value))


#: Learners by name, made of the deviations of each layer's norms (float64[L]) and a seed.
LEARNERS: Mapping[str, Callable[[FloatArray, int], Learner]] = {
    "climb": lambda deviations, seed: Climb(deviations, seed, EvolutionSettings(step=0.5)),
    "cma-es": lambda deviations, seed: Sampled(CmaEs(2 * len(deviations), seed, 0.3), deviations),
    "tpe": lambda deviations, seed: Sampled(Tpe(2 * len(deviations), seed), deviations),
}


def search_by(name: str, study: Study, settings: SearchSettings, ranker: Ranker | None = None) -> Search:
    """The search of a learner from here, or of the method that `settings` name where none is called so."""
    search = search_of(study, settings, CPU, ranker=ranker)
    if name not in LEARNERS:
        return search
    return replace(search, learner=LEARNERS[name](search.pricing.ranker.norms.deviations, settings.seed))
