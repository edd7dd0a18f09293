"""Where layers are timed, what multiples a runtime likes, and how layers become a network: values by hand."""

import numpy as np
import pytest
from onnx import helper

from legr.deploy.graph_layers import Following, GraphLayer, Tensor
from legr.deploy.layer_grid import points_of
from legr.deploy.layer_timing import Alone, time_layer
from legr.deploy.quantum import quantum_in, quantum_of
from legr.deploy.table_fit import fit_to
from legr.errors import ExportError
from legr.structure.latency import FloatArray, Size


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


def test_few_possible_numbers_are_those_nearest_to_the_shares() -> None:
    assert points_of(Size(0, 912, 912), 38, 4).tolist() == [38, 76, 304, 646, 912]  # shares 0, 0.1, 0.35, 0.7, 1


def test_a_layer_in_convolution_groups_is_timed_at_multiples_of_them() -> None:
    """8 channels in 4 groups into 12 filters, each following units of its own."""
    sizes = (Size(0, 8, 8), Size(1, 12, 12))
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=4, kernel_shape=[1, 1])
    weight = Tensor("w", (Following(12, 1), Following(2, 0), Following(1, None), Following(1, None)))
    image = Tensor("x", (Following(1, None), Following(8, 0), Following(5, None), Following(5, None)))
    layer = GraphLayer((node,), sizes, (image,), (weight,), (), (), ("y",))
    assert layer.steps == (4, 4)
    points = [points_of(size, step, 4) for size, step in zip(sizes, layer.steps, strict=True)]
    assert [axis.tolist() for axis in points] == [[4, 8], [4, 12]]
    milliseconds = time_layer(layer, points, [helper.make_opsetid("", 18)], threads=1, batch=1)
    assert milliseconds.shape == (2, 2)
    assert (milliseconds > 0).all()
    with pytest.raises(ExportError, match="cannot run a layer of this network alone"):
        time_layer(layer, [np.array([4]), np.array([6])], [helper.make_opsetid("", 18)], threads=1, batch=1)


@pytest.mark.parametrize("share", [0.7, 1.4])  # alone, a layer that rearranges its activations takes longer
@pytest.mark.parametrize("quantum", [4, 8, 16])
def test_multiples_that_take_another_time_than_their_neighbours_are_found(quantum: int, share: float) -> None:
    channels = np.arange(33, 65)
    milliseconds = np.where(channels % quantum == 0, share, 1.0) * channels
    assert quantum_in(channels, milliseconds) == quantum
    assert quantum_in(channels, 1.0 * channels) == 1


@pytest.mark.parametrize("kind", range(3))
def test_one_kind_of_convolution_that_likes_multiples_is_enough(kind: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def times(runs: list[Alone], threads: int, batch: int) -> FloatArray:
        (node,), channels = runs[0].graph.graph.node, np.array([run.shapes["x"][1] for run in runs])
        asked.append(node)
        return np.where((len(asked) - 1 == kind) & (channels % 4 == 0), 0.5, 1.0) * channels

    monkeypatch.setattr("legr.deploy.quantum.milliseconds_of", times)
    assert quantum_of(threads=1, batch=1) == 4
    told = [{a.name: helper.get_attribute_value(a) for a in node.attribute} for node in asked]
    assert [(a["kernel_shape"][0], a["group"]) for a in told] == [(3, 1), (1, 1), (3, 33)]


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
