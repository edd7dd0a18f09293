"""Regularised ("ageing") evolution over the affine maps (LeGR, algorithm 1).

The randomness of candidate i depends on (seed, i) alone, and its pool on the candidates before it.
Dims of arrays: L scored layers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from legr.bounds import Bounds
from legr.ranking.types import Affine, FloatArray
from legr.search.types import Candidate, Proposal

# Mutations of alpha shrink linearly with the number of the candidate, to 0 at 500 (the reference's 1.25 * 400), but not
# below the share that is left at candidate 400: a search may be extended.
_SHRINKING = 500
_SMALLEST_SHARE = 0.2
#: What the settings may be.
RANGES = {
    "pool": Bounds(1, 10_000),
    "draw": Bounds(1, 10_000),
    "mutate": Bounds(0, 1),
    "step": Bounds(0, 10, above=True),
    "spread": Bounds(0, 10, above=True),
}


@dataclass(frozen=True)
class EvolutionSettings:
    """How candidates are bred; the defaults are the paper's."""

    pool: int = 64  # members of the pool; the first ones are random
    draw: int = 16  # members drawn (with replacement) to find a parent
    mutate: float = 0.1  # fraction of the layers that a mutation changes
    step: float = 1.0  # standard deviation of mutations at the start: of log alpha, and of kappa in `deviations`
    spread: float = 1.0  # standard deviation of the random maps, likewise; a small one begins near the identity

    def __post_init__(self) -> None:
        for name, bounds in RANGES.items():
            bounds.require(name, getattr(self, name))


class Evolution:
    """Breeds candidates.

    Args:
        deviations: float64[L], standard deviation of each layer's norms.
    """

    def __init__(self, deviations: FloatArray, seed: int, settings: EvolutionSettings) -> None:
        self._deviations, self._seed, self._settings = deviations, seed, settings

    def propose(self, finished: Sequence[Candidate]) -> Proposal:
        """Return the next candidate.

        The first `pool` are random: alpha = exp(N(0, 1)), kappa = N(0, std of the layer's norms). Then `draw`
        members of the pool are drawn with replacement, the best is mutated, and the child replaces the oldest.
        """
        number, settings, n_layers = len(finished), self._settings, len(self._deviations)
        rng = np.random.default_rng([self._seed, number])
        if number < settings.pool:
            log_alpha, kappa = rng.normal(size=(2, n_layers)) * settings.spread
            return Proposal(Affine(np.exp(log_alpha), kappa * self._deviations))
        pool = _pool(finished, settings.pool)
        drawn = [pool[int(index)] for index in rng.integers(len(pool), size=settings.draw)]
        parent = min(drawn, key=lambda member: member.value)
        return Proposal(mutated(parent.affine, number, rng, self._deviations, settings))


def mutated(
    parent: Affine, number: int, rng: np.random.Generator, deviations: FloatArray, settings: EvolutionSettings
) -> Affine:
    """A map that differs from its parent in some layers; the changes of alpha shrink with the number of the child.

    Args:
        deviations: float64[L], standard deviation of each layer's norms, which changes of kappa are counted in.
    """
    n_layers = len(deviations)
    changed = rng.choice(n_layers, size=max(1, int(settings.mutate * n_layers)), replace=False)
    log_alpha_step = settings.step * max(1 - number / _SHRINKING, _SMALLEST_SHARE)
    alpha, kappa = parent.alpha.copy(), parent.kappa.copy()
    alpha[changed] *= np.exp(rng.normal(size=len(changed)) * log_alpha_step)
    kappa[changed] += rng.normal(size=len(changed)) * deviations[changed] * settings.step
    return Affine(alpha, kappa)


def _pool(finished: Sequence[Candidate], size: int) -> Sequence[Candidate]:
    """The youngest `size` members; among the first ones the identity counts as the youngest.

    By its number it would be the oldest, and replaced by the first child: on a ResNet-56, where few random maps
    are as good, 400 candidates then never find back to it.
    """
    return [*finished[1:size], finished[0], *finished[size:]][-size:]
