"""Where layers are timed, what multiples a runtime likes, and how layers become a network: values by hand."""

import numpy as np
import pytest

from legr.deploy.layer_grid import points_of
from legr.deploy.quantum import quantum_in
from legr.deploy.table_fit import fit_to
from legr.structure.latency import Size


@pytest.mark.parametrize(
    ("whole", "step", "quantum", "points"),
    [
        (16, 1, 4, [1, 4, 15, 16]),  # both ends of multiples of 4, and of the others
        (10, 1, 4, [1, 4, 8, 10]),
        (32, 1, 1, [1, 16, 17, 32]),  # all are multiples of 1
        (48, 8, 4, [8, 16, 24, 32, 40, 48]),  # convolution groups of 8: all are multiples of 4
        (160, 1, 8, [1, 8, 15, 16, 49, 56, 63, 64, 145, 152, 159, 160]),  # blocks 1, 4 (3.5) and 10 of 10
    ],
)
def test_the_points_of_a_layer(whole: int, step: int, quantum: int, points: list[int]) -> None:
    assert points_of(Size(0, whole, whole), step, quantum).tolist() == points


@pytest.mark.parametrize("quantum", [4, 8, 16])
def test_multiples_that_are_faster_than_their_neighbours_are_found(quantum: int) -> None:
    channels = np.arange(33, 65)
    milliseconds = np.where(channels % quantum == 0, 0.7, 1.0) * channels
    assert quantum_in(channels, milliseconds) == quantum
    assert quantum_in(channels, 1.0 * channels) == 1


def test_a_fit_finds_the_three_numbers_that_made_the_times() -> None:
    rng = np.random.default_rng(0)
    features = np.stack((rng.uniform(2, 9, 12), np.full(12, 60.0), rng.uniform(1, 30, 12)), axis=1)
    fit, predicted = fit_to(features, features @ np.array([0.8, 0.01, -0.05]))
    assert (fit.scale, fit.overhead_ms, fit.saved_ms) == pytest.approx((0.8, 0.01, 0.05))
    assert predicted == pytest.approx(features @ np.array([0.8, 0.01, -0.05]))


def test_passages_never_cost_time() -> None:
    """Times that would say so are those of other things: the fit leaves passages out."""
    rng = np.random.default_rng(0)
    features = np.stack((rng.uniform(2, 9, 12), np.full(12, 60.0), rng.uniform(1, 30, 12)), axis=1)
    fit, _ = fit_to(features, features @ np.array([0.8, 0.0, 0.05]))
    assert fit.saved_ms == 0
    assert fit.scale > 0
