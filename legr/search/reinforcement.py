"""Learn the maps by reinforcement: an agent decides what share of each layer's filters stays (AMC, He et al., 2018).

Every proposal is an episode: the agent goes through the layers (`LayerWalk`), and its decisions are made a map. The
reward of all of them is minus the candidate's loss. Episodes of the warm-up are drawn at random, later ones around what
the agent says. The decisions are stored with the proposal, and the agent learns from the candidates in their order;
what it draws depends on the seed and the number of the episode. A search that is resumed builds it anew from them.
Dims of arrays: D decisions, F features.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from legr.bounds import Bounds
from legr.errors import SettingsError, StudyError
from legr.ranking.types import FloatArray
from legr.record import Record
from legr.schema import Count, Several, build
from legr.search.layer_walk import LayerWalk
from legr.search.types import Candidate, Proposal

#: The search ends when so many proposals after one another decide the same: noise has gone, and the agent agrees.
_STILL = 20
_MEMORY = 0.95  # decay of the moving average of rewards, which is the baseline
#: Losses above so many times that of the identity are as bad as this: a network that fails must not drown the others.
_WORST = 3.0
#: What the settings may be.
RANGES = {
    "warmup": Bounds(1, 10_000),
    "noise": Bounds(0, 10, above=True),
    "decay": Bounds(0, 1, above=True),
    "batch": Bounds(1, 10_000),
    "hidden": Bounds(1, 10_000),
    "actor_rate": Bounds(0, 1, above=True),
    "critic_rate": Bounds(0, 1, above=True),
    "tau": Bounds(0, 1, above=True),
    "remembered": Bounds(1, 10_000),
}


@dataclass(frozen=True)
class ReinforcementSettings:
    """Options of the agent; the defaults are AMC's."""

    warmup: int = 100  # episodes at random before the agent decides
    noise: float = 0.5  # standard deviation of a share around what the agent says, when the warm-up is over
    decay: float = 0.95  # of the noise, by episode
    batch: int = 64  # decisions that an update learns from
    hidden: int = 300  # neurons of each of the two hidden layers of actor and critic
    actor_rate: float = 1e-4  # learning rate of Adam
    critic_rate: float = 1e-3
    tau: float = 0.01  # how far the target networks move in an update
    remembered: int = 100  # last episodes that batches are drawn from

    def __post_init__(self) -> None:
        for name, bounds in RANGES.items():
            bounds.require(name, getattr(self, name))


@dataclass(frozen=True, eq=False)
class Episode:
    """What an agent saw and did, and what came of it."""

    states: FloatArray  # float64[D, F], in [0, 1]
    shares: FloatArray  # float64[D], in [0, 1]
    reward: float  # in [-3, 0]


class Agent(Protocol):
    """Says shares, and learns from episodes."""

    def share(self, state: FloatArray) -> float:
        """The share in [0, 1] that it takes for best in a state, float64[F]."""

    def remember(self, episode: Episode) -> None:
        """Have an episode among those that it learns from; the oldest may be forgotten."""

    def update(self, n_updates: int, baseline: float, seed: int) -> None:
        """Learn from what it remembers.

        Args:
            baseline: what is taken off every reward.
            seed: of all that it draws.
        """


@dataclass(frozen=True)
class _Stored(Record):
    """The state of a proposal."""

    kept: Several[Count]  # decisions: see `LayerWalk`


class ReinforcementLearner:
    """Lets an agent decide, and tells it what came of it.

    Args:
        agent: makes one that has learned nothing, always the same.
    """

    def __init__(self, walk: LayerWalk, agent: Callable[[], Agent], seed: int, settings: ReinforcementSettings) -> None:
        self._walk, self._make, self._seed, self._settings = walk, agent, seed, settings
        self._begin()

    def propose(self, finished: Sequence[Candidate]) -> Proposal:
        """Learn from the candidates that are new, and decide the next network.

        Args:
            finished: the candidates so far; candidate 0, the identity, is no episode.

        Raises:
            StudyError: a candidate holds no decisions of this network.
            SettingsError: the agent has learned NaN.
        """
        self._learn(finished)
        walk, number = self._walk, len(finished) - 1
        rng = np.random.default_rng([self._seed, number])
        numbers: list[int] = []
        for decision in walk.decisions:
            share = self._share(walk.states(numbers)[-1], number, rng)
            numbers.append(int(np.clip(np.rint(share * decision.total), *walk.bounds(numbers))))
        last = [list(_decided(c.proposal.state, walk)) for c in finished[1:][1 - _STILL :]]
        settled = number >= self._settings.warmup and len(last) == _STILL - 1 and all(n == numbers for n in last)
        return Proposal(walk.affine(numbers), {"kept": numbers}, settled=settled)

    def _share(self, state: FloatArray, number: int, rng: np.random.Generator) -> float:
        """The share that an episode tries: any in the warm-up, then one near the agent's (AMC's truncated normal)."""
        exploiting = number - self._settings.warmup
        if exploiting < 0:
            return float(rng.random())
        said, noise = self._agent.share(state), self._settings.noise * self._settings.decay**exploiting
        if not math.isfinite(said):
            raise SettingsError(
                f"actor_rate and critic_rate must be small enough to learn with, got {self._settings.actor_rate:g} and "
                f"{self._settings.critic_rate:g}, and the agent's share is no number; choose smaller ones"
            )
        while not 0 <= (share := rng.normal(said, noise)) <= 1:
            pass
        return float(share)

    def _begin(self) -> None:
        self._agent, self._learned_from, self._baseline = self._make(), list[Candidate](), 0.0

    def _learn(self, finished: Sequence[Candidate]) -> None:
        """Let the agent have learned from exactly these candidates, one after another."""
        known = len(self._learned_from)
        if known > len(finished) or any(a is not b for a, b in zip(self._learned_from, finished, strict=False)):
            self._begin()  # of another search, or fewer: what it has learned cannot be taken back
            known = 0
        for number in range(known, len(finished)):
            if number:
                self._learn_from(number - 1, finished[number], finished[0])
            self._learned_from.append(finished[number])

    def _learn_from(self, number: int, candidate: Candidate, identity: Candidate) -> None:
        """An episode: one update for each of its decisions once the warm-up is over, as in AMC."""
        numbers = _decided(candidate.proposal.state, self._walk)
        # In units of what the identity loses, so that the agent need not know how hard the images are.
        reward = -min(candidate.value / (identity.value or 1.0), _WORST)
        self._baseline = _MEMORY * self._baseline + (1 - _MEMORY) * reward if number else reward
        self._agent.remember(Episode(self._walk.states(numbers), self._walk.shares(numbers), reward))
        if number + 1 >= self._settings.warmup:
            seed = int(np.random.SeedSequence([self._seed, number, 1]).generate_state(1)[0])
            self._agent.update(len(numbers), self._baseline, seed)


def _decided(state: Mapping[str, Any], walk: LayerWalk) -> tuple[int, ...]:
    """The decisions of a proposal.

    Raises:
        StudyError: the state is damaged, or of another network.
    """
    damaged, remedy = "the journal of the search holds a damaged state", "move it away and learn again"
    try:
        numbers = build(state, _Stored).kept
    except ValueError as error:
        raise StudyError(f"{damaged} ({error}); {remedy}") from error
    whole = len(numbers) == len(walk.decisions)
    if not whole or any(not d.least <= n <= d.total for n, d in zip(numbers, walk.decisions, strict=True)):
        raise StudyError(f"{damaged} (it is of another network); {remedy}")
    return numbers
