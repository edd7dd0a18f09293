"""The agent of `reinforcement`: DDPG (Lillicrap et al., 2016) of stable-baselines3, which the extra `rl` brings along.

The search scores networks itself, so episodes are put into the replay buffer from outside; an environment is made only
because stable-baselines3 reads the spaces from it. It draws from the generators of the whole process, which are seeded
for it and put back afterwards. Its networks are small, so they compute on one thread, whatever the search does.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import DDPG
from stable_baselines3.common.logger import Logger
from torch.optim import Optimizer

from legr.ranking.types import FloatArray
from legr.search.reinforcement import Episode, ReinforcementSettings

_DISCOUNT = 1.0  # as in AMC: early layers count as much as late ones


class DdpgAgent:
    """An actor that says shares, and a critic that says what is to be expected of them.

    Args:
        n_features: numbers in a state.
        n_decisions: decisions in an episode.
        seed: of the weights that it begins with.
    """

    def __init__(self, n_features: int, n_decisions: int, seed: int, settings: ReinforcementSettings) -> None:
        self._settings = settings
        self._capacity = n_decisions * settings.remembered
        self._rewards = np.zeros(self._capacity, dtype=np.float64)  # of the buffer's places, without a baseline
        env = gymnasium.Env[Any, Any]()
        env.observation_space = gymnasium.spaces.Box(0.0, 1.0, (n_features,), np.float32)
        env.action_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)
        with _own_generators(seed):
            self._ddpg = _TwoRates(
                "MlpPolicy",
                env,
                buffer_size=self._capacity,
                batch_size=settings.batch,
                tau=settings.tau,
                gamma=_DISCOUNT,
                policy_kwargs={"net_arch": [settings.hidden, settings.hidden]},
                device="cpu",
            )
        self._ddpg.rates = settings.actor_rate, settings.critic_rate
        self._ddpg.set_logger(Logger(None, []))

    def share(self, state: FloatArray) -> float:
        """The share in [0, 1] that the actor says in a state, float64[F]."""
        with _one_thread():
            action, _ = self._ddpg.predict(state.astype(np.float32), deterministic=True)
        return float(action[0])

    def remember(self, episode: Episode) -> None:
        """Put an episode into the buffer; every decision has the reward of the whole, as in AMC."""
        buffer, states = self._buffer, episode.states.astype(np.float32)
        actions = self._ddpg.policy.scale_action(episode.shares.astype(np.float32)[:, None])
        for place, action in enumerate(actions):
            is_last = place + 1 == len(actions)
            self._rewards[buffer.pos] = episode.reward
            next_state = states[place if is_last else place + 1]
            buffer.add(states[place], next_state, action, np.zeros(1), np.array([is_last]), [{}])

    def update(self, n_updates: int, baseline: float, seed: int) -> None:
        """Update actor and critic on batches of remembered decisions; the arguments are those of `Agent.update`."""
        self._buffer.rewards[:, 0] = self._rewards - baseline
        with _own_generators(seed):
            self._ddpg.train(n_updates, self._settings.batch)

    @property
    def _buffer(self) -> Any:
        return self._ddpg.replay_buffer


class _TwoRates(DDPG):
    """DDPG whose actor and critic have learning rates of their own."""

    rates: tuple[float, float]

    def _update_learning_rate(self, optimizers: list[Optimizer] | Optimizer) -> None:
        """Called by `train` with the optimizers of actor and critic."""
        for optimizer, rate in zip(optimizers, self.rates, strict=True):  # type: ignore[arg-type]
            for group in optimizer.param_groups:
                group["lr"] = rate


@contextmanager
def _own_generators(seed: int) -> Iterator[None]:
    """Seed the generators of Python, numpy and torch, and put them back afterwards."""
    of_python, of_numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]), _one_thread():
            random.seed(seed)
            np.random.seed(seed)
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed those of a GPU as well
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)


@contextmanager
def _one_thread() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
