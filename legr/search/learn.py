"""Learn a ranking: a learner proposes candidates, each is scored and written to the journal; killed, it resumes."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from filelock import Timeout

from legr.errors import SettingsError, StudyError
from legr.progress import Progress, Report
from legr.ranking.types import Affine
from legr.search.fitness import CandidateScore, HasLost
from legr.search.journal import Journal
from legr.search.pricing import Pricing
from legr.search.racing import Race
from legr.search.replay import journal_path
from legr.search.types import Candidate, Learner, LearnResult, Proposal, SearchProgress, best_of, final_values
from legr.structure.types import Keep
from legr.study.provenance import UNKNOWN, Provenance
from legr.study.records import Learned, SearchSettings
from legr.study.store import Study

log = logging.getLogger(__name__)

_DUPLICATE_PASSES = (
    0.02  # that a candidate counts where its networks were scored before; above 0, so that a search ends
)
_MAX_DUPLICATES = 500  # such candidates in a row after which the search has settled
_WINDOW = 25  # candidates over which the time a pass is averaged


@dataclass(frozen=True)
class Search:
    """A learner that proposes candidates, and the fitness that scores them.

    Attributes:
        budgets: fractions of the original's cost that candidates are scored at.
        fitness: scores the kept sets of a candidate, one for each budget; may stop early (`HasLost`).
        images: training images that count as one pass.
        racing: whether candidates that have lost are stopped.
    """

    pricing: Pricing
    budgets: Sequence[float]
    learner: Learner
    fitness: Callable[[Sequence[Keep], HasLost | None], CandidateScore]
    images: int
    racing: bool = True

    def next(self, finished: Sequence[Candidate]) -> Candidate:
        """Propose and score one candidate; networks that were scored before are not scored again."""
        start = time.monotonic()
        n_layers = len(self.pricing.ranker.structure.layers)
        proposal = self.learner.propose(finished) if finished else Proposal(Affine.identity(n_layers))
        curve = self.pricing.curve(proposal.affine)
        keeps = [curve.keep(self.pricing.step(curve, budget)) for budget in self.budgets]
        key = _key(keeps)
        earlier = next((c for c in finished if c.key == key), None)
        if earlier is not None:
            seconds = time.monotonic() - start
            passes = proposal.images / self.images + _DUPLICATE_PASSES
            return Candidate(proposal, earlier.losses, earlier.value, passes, seconds, earlier.stopped, key)
        if not finished:
            score = self.fitness(keeps, None)
            value, stopped = Race(score.losses).value(score.losses), False
        else:
            race, best = Race(finished[0].losses), finished[best_of(finished)]
            score = self.fitness(keeps, (lambda seen: race.has_lost(seen, best.losses)) if self.racing else None)
            value, stopped = race.verdict(score.losses, best)
        passes = proposal.images / self.images + score.passes
        return Candidate(proposal, score.losses, value, passes, time.monotonic() - start, stopped, key)


def learn(
    study: Study,
    settings: SearchSettings,
    effort: float,
    search: Callable[[], Search],
    report: Report,
    provenance: Callable[[float], Provenance] = lambda _: UNKNOWN,
) -> LearnResult:
    """Try candidates until the effort is spent, and store the best as a ranking of the study.

    A finished search returns at once; a larger effort extends it. The result is never worse than the
    identity, which is candidate 0.

    Args:
        effort: passes over the held-out images; training images are counted by what they cost.
        search: called once, and only where something is left to do.
        provenance: seconds of the search -> provenance of a new ranking.

    Raises:
        SettingsError: the effort is below 1.
    """
    if effort < 1:
        raise SettingsError(f"candidates must be at least 1, got {effort}")
    with search_lock(study):
        journal = Journal(journal_path(study, settings))
        finished = journal.finished
        _require_own(study, journal_path(study, settings).name, finished)
        resumed_from = len(finished)
        if not is_over(journal, effort):
            loaded = search()
            if resumed_from:
                log.info("going on after candidate %d", resumed_from)
            while not is_over(journal, effort):
                journal.add(loaded.next(finished))
                report(_progress(journal, effort, len(finished) - resumed_from))
        learned = _result(study, settings, journal)
        if learned.settled and passes_spent(journal)[-1] < effort:
            log.info("the search has settled after %.0f of %.0f passes", passes_spent(journal)[-1], effort)
        stored = study.map_of(settings.ranking)
        if stored is not None and stored.supernet and len(finished) == resumed_from:
            log.info("the ranking was learned again by a supernet; that of the search stays aside")
        elif stored is None or _as_json(replace(learned, provenance=stored.provenance)) != _as_json(stored):
            study.save_learned(replace(learned, provenance=provenance(learned.seconds)))
    return LearnResult(
        candidates=learned.candidates,
        resumed_from=resumed_from,
        passes=round(learned.passes_spent[-1], 2),
        identity_loss=learned.identity_loss,
        best_loss=learned.best_loss,
        seconds=learned.seconds,
    )


def _require_own(study: Study, journal: str, finished: Sequence[Candidate]) -> None:
    """Refuse candidates that cannot be of one search on this network.

    Raises:
        StudyError: they are of another network or of several searches, or the first of them was stopped.
    """
    shapes = {(len(c.affine.alpha), len(c.losses)) for c in finished}
    foreign = any(n_layers != len(study.structure.layers) for n_layers, _ in shapes)
    if foreign or len(shapes) > 1 or (finished and np.isnan(finished[0].losses).any()):
        raise StudyError(f"{journal} is the journal of another network or search; move it away and learn again")


def is_over(journal: Journal, effort: float) -> bool:
    """Whether the effort is spent or the search has settled; one candidate is always scored."""
    return bool(journal.finished) and (has_settled(journal) or passes_spent(journal)[-1] >= effort)


def has_settled(journal: Journal) -> bool:
    """Whether more effort would change nothing: the learner says so, or it proposes only networks scored before."""
    last = journal.finished[-_MAX_DUPLICATES:]
    return last[-1].proposal.settled or (
        len(last) == _MAX_DUPLICATES and all(c.passes <= _DUPLICATE_PASSES for c in last)
    )


def passes_spent(journal: Journal) -> list[float]:
    """Passes after each candidate."""
    return [float(total) for total in np.cumsum([c.passes for c in journal.finished])]


def standing(study: Study, settings: SearchSettings) -> tuple[float, bool]:
    """Passes that a search has taken so far, and whether it has settled."""
    path = journal_path(study, settings)
    if not path.exists():
        return 0.0, False
    with search_lock(study):
        journal = Journal(path)
        return (passes_spent(journal)[-1], has_settled(journal)) if journal.finished else (0.0, False)


@contextmanager
def search_lock(study: Study) -> Iterator[None]:
    """Lock the journals of a study against other processes; a second search waits, and says so."""
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


def _key(keeps: Sequence[Keep]) -> str:
    return hashlib.sha256(b"".join(np.packbits(keep.units).tobytes() for keep in keeps)).hexdigest()[:16]


def _progress(journal: Journal, effort: float, new: int) -> Progress:
    finished, passes = journal.finished, passes_spent(journal)
    recent = finished[-min(new, _WINDOW) :]
    recent_passes = passes[-1] - (passes[-len(recent) - 1] if len(recent) < len(passes) else 0.0)
    left = max(effort - passes[-1], 0) * sum(c.seconds for c in recent) / max(recent_passes, _DUPLICATE_PASSES)
    best = finished[best_of(finished)]
    values = SearchProgress(candidates=len(finished), best_loss=best.value, identity_loss=finished[0].value)
    return Progress("pass", min(int(passes[-1]), int(effort)), int(effort), left, values.to_dict())


def _as_json(learned: Learned) -> str:
    """As the file holds it: a tuple is written as a list."""
    return json.dumps(learned.to_dict())


def _result(study: Study, settings: SearchSettings, journal: Journal) -> Learned:
    finished = journal.finished
    best = best_of(finished)
    affine = finished[best].affine
    return Learned(
        layers=tuple(layer.name for layer in study.structure.layers),
        alpha=tuple(affine.alpha.tolist()),
        kappa=tuple(affine.kappa.tolist()),
        settings=settings,
        candidates=len(finished),
        best_candidate=best,
        identity_loss=finished[0].value,
        best_loss=finished[best].value,
        best_losses=tuple(np.minimum.accumulate(final_values(finished)).tolist()),
        passes_spent=tuple(passes_spent(journal)),
        seconds=round(sum(c.seconds for c in finished), 3),
        settled=has_settled(journal),
        heldout_seen=study.info.weights_origin == "elsewhere",
    )
