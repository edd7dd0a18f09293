"""Learn a ranking: ask the sampler, score the candidate, tell the journal; resume where it stopped.

It does not know how a candidate is proposed or scored.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import optuna
from filelock import Timeout

from legr.errors import SettingsError
from legr.progress import Progress, Report
from legr.ranking.types import Affine
from legr.search.evolution import AgeingEvolution, finished_candidates
from legr.search.journal import open_journal
from legr.study.records import Learned, SearchSettings
from legr.study.store import Study

log = logging.getLogger(__name__)

Fitness = Callable[[Affine], float]
_SETTINGS, _SECONDS = "settings", "seconds"


def search_settings(study: Study, asked: Mapping[str, Any]) -> SearchSettings:
    """The settings of a study's search: those it was begun with, else the defaults with what was asked for.

    Args:
        asked: settings given by the user, by name; None means not given.

    Raises:
        SettingsError: the search was begun with another value of one that was asked for, or one is out of range.
    """
    given = {name: value for name, value in asked.items() if value is not None}
    journal = study.path / "search.journal"
    if not journal.exists():
        return _valid(SearchSettings(**given))
    with search_lock(study):
        stored = _open(study, SearchSettings()).user_attrs.get(_SETTINGS)
    if stored is None:
        return _valid(SearchSettings(**given))
    settings = SearchSettings.from_dict(stored)
    for name, value in given.items():
        if getattr(settings, name) != value:
            raise SettingsError(
                f"this study's search was begun with --{name} {getattr(settings, name)}, got {value}; "
                "give the same value, or learn in a new study"
            )
    return settings


def learn(
    study: Study, settings: SearchSettings, n_candidates: int, fitness: Fitness | None, report: Report
) -> dict[str, Any]:
    """Evaluate candidates until `n_candidates` are finished, and store the best as the study's ranking.

    A finished search returns at once; a larger `n_candidates` extends it. The result is never worse
    than the identity, which is candidate 0.

    Args:
        fitness: affine map -> loss; None where the search is known to be finished.

    Returns:
        {"candidates", "resumed_from", "identity_loss", "best_loss", "seconds"}
    """
    if n_candidates < 1:
        raise SettingsError(f"candidates must be at least 1, got {n_candidates}")
    with search_lock(study):
        journal = _open(study, settings)
        if journal.user_attrs.get(_SETTINGS) is None:
            journal.set_user_attr(_SETTINGS, asdict(settings))
        losses = [loss for _, loss in finished_candidates(journal)]
        resumed_from = len(losses)
        if 0 < resumed_from < n_candidates:
            log.info("going on after candidate %d of %d", resumed_from, n_candidates)
        durations: list[float] = []
        while len(losses) < n_candidates:
            assert fitness is not None
            start = time.monotonic()
            trial = journal.ask()
            loss = fitness(Affine.of(**trial.user_attrs["affine"]))
            durations.append(time.monotonic() - start)
            trial.set_user_attr(_SECONDS, durations[-1])
            journal.tell(trial, loss)
            losses.append(loss)
            left = (n_candidates - len(losses)) * sorted(durations[-25:])[len(durations[-25:]) // 2]
            values = {"best_loss": min(losses), "identity_loss": losses[0]}
            report(Progress("candidate", len(losses), n_candidates, left, values))
        learned = _result(study, settings, journal)
        study.save_learned(learned)
    return {
        "candidates": learned.candidates,
        "resumed_from": resumed_from,
        "identity_loss": learned.identity_loss,
        "best_loss": learned.best_loss,
        "seconds": learned.seconds,
    }


def finished_count(study: Study, settings: SearchSettings) -> int:
    """How many candidates are finished."""
    if not (study.path / "search.journal").exists():
        return 0
    with search_lock(study):
        return len(finished_candidates(_open(study, settings)))


@contextmanager
def search_lock(study: Study) -> Iterator[None]:
    """Be the only one who reads, mends or writes the journal of a study; a second search waits, and says so."""
    lock = study.lock("search")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("waiting for another search of %s to end", study.path.name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _open(study: Study, settings: SearchSettings) -> optuna.Study:
    return open_journal(study.path / "search.journal", AgeingEvolution(study.norms.deviations, settings))


def _result(study: Study, settings: SearchSettings, journal: optuna.Study) -> Learned:
    finished = finished_candidates(journal)
    losses = [loss for _, loss in finished]
    best = losses.index(min(losses))
    affine = finished[best][0]
    trials = journal.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    return Learned(
        layers=tuple(layer.name for layer in study.structure.layers),
        alpha=tuple(affine.alpha.tolist()),
        kappa=tuple(affine.kappa.tolist()),
        settings=asdict(settings),
        candidates=len(losses),
        best_candidate=best,
        identity_loss=losses[0],
        best_loss=losses[best],
        trace=tuple(min(losses[: i + 1]) for i in range(len(losses))),
        seconds=round(sum(t.user_attrs.get(_SECONDS, 0.0) for t in trials), 3),
        heldout_seen=study.info.weights_origin == "elsewhere",
    )


def _valid(settings: SearchSettings) -> SearchSettings:
    for rule, value, ok in (
        ("budget must be in (0, 1]", settings.budget, 0 < settings.budget <= 1),
        ("images must be at least 2", settings.images, settings.images >= 2),
        ("seed must be in [0, 2**32)", settings.seed, 0 <= settings.seed < 2**32),
    ):
        if not ok:
            raise SettingsError(f"{rule}, got {value}")
    return settings
