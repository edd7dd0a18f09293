"""What a search is made of: proposals, candidates, and the one method of every learner. Imported without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from legr.ranking.types import Affine, FloatArray
from legr.record import Record
from legr.schema import Count, Real

#: Forward passes that a training image costs: one forward, and a backward that takes as long as two.
PASSES_PER_TRAINING_IMAGE = 3


@dataclass(frozen=True)
class LearnResult(Record):
    """What a search has found, and the output of `learn --json`."""

    candidates: int
    resumed_from: int  # candidates that an earlier call had scored
    passes: float  # over the held-out images
    identity_loss: float
    best_loss: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class SearchProgress(Record):
    """What a search reports after each candidate: `Progress.values`, and a row of a job's history."""

    candidates: Count = 0  # so far; 0: not stored, by an earlier version
    best_loss: Real
    identity_loss: Real


@dataclass(frozen=True)
class Proposal:
    """A map to try next; once it is scored, it is a candidate."""

    affine: Affine
    state: Mapping[str, Any] = field(default_factory=dict)  # what the learner needs to go on; plain data
    images: int = 0  # training images that the proposal took, each counted `PASSES_PER_TRAINING_IMAGE` times
    settled: bool = False  # further proposals would keep nearly the same units


@dataclass(frozen=True)
class Candidate:
    """A map that was scored.

    Attributes:
        losses: float64[B, K], mean loss at each budget on each batch; NaN on the batches after it was stopped.
        value: what a search minimises; an estimate where it was stopped.
        passes: that it took to propose and to score, over the held-out images; training images count by their cost.
        stopped: whether the race ended before it was scored on all batches.
        key: hash of its kept sets; two maps with the same key lead to the same networks.
    """

    proposal: Proposal
    losses: FloatArray
    value: float
    passes: float
    seconds: float
    stopped: bool
    key: str

    @property
    def affine(self) -> Affine:
        """The map."""
        return self.proposal.affine


class Learner(Protocol):
    """Proposes maps. What it proposes depends on the seed and the earlier candidates alone.

    A search that was killed therefore ends the same when it is resumed. State that is expensive to compute again
    is stored in `Proposal.state`.
    """

    def propose(self, finished: Sequence[Candidate]) -> Proposal:
        """Return the next map.

        Args:
            finished: the candidates so far; never empty, as candidate 0 is the identity and is not proposed.
        """


def best_of(finished: Sequence[Candidate]) -> int:
    """Number of the best candidate that was scored to the end; of equal ones the first."""
    return int(np.argmin(final_values(finished)))


def final_values(finished: Sequence[Candidate]) -> FloatArray:
    """The value of every candidate that was scored to the end; of the others infinity."""
    return np.array([np.inf if c.stopped else c.value for c in finished])
