"""Searches on losses that cost nothing, for the tests of learners."""

from collections.abc import Callable

import numpy as np

from legr.ranking.types import Affine
from legr.search.types import Candidate, Learner, Proposal

Loss = Callable[[Affine], float]


def bowl(affine: Affine) -> float:
    """A loss with its minimum away from the identity."""
    return float(np.square(np.log(affine.alpha) - 0.7).sum() + np.square(affine.kappa).sum())


def candidate(proposal: Proposal, value: float) -> Candidate:
    return Candidate(proposal, np.full((1, 4), value), value, 1, 0.0, False, "")


def search(learner: Learner, n_candidates: int, n_layers: int, loss: Loss = bowl) -> list[Candidate]:
    """Candidate 0 is the identity; the others are what the learner proposes."""
    first = Proposal(Affine.identity(n_layers))
    found = [candidate(first, loss(first.affine))]
    while len(found) < n_candidates:
        proposal = learner.propose(found)
        found.append(candidate(proposal, loss(proposal.affine)))
    return found
