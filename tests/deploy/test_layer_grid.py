"""Where layers are timed, what multiples a runtime likes, and how layers become a network: values by hand."""

import numpy as np
import pytest
import torch
from onnx import helper

from legr.deploy.following import Following
from legr.deploy.graph_layers import GraphLayer, Tensor
from legr.deploy.graph_timing import Alone, convolution, milliseconds_of
from legr.deploy.layer_grid import every_point_of, points_of, points_on_a_line
from legr.deploy.module_timing import convolution as eager_convolution
from legr.deploy.quantum import KINDS, Convolution, quantum_in, quantum_of
from legr.deploy.table_fit import fit_to
from legr.errors import ExportError
from legr.structure.latency import Counts, FloatArray, Size


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
    found = points_of(Size(0, whole, whole), step, quantum)
    assert (found.channels.tolist(), found.period) == (points, 0)


def test_few_possible_numbers_are_those_nearest_to_the_shares() -> None:
    assert points_of(Size(0, 912, 912), 38, 4).channels.tolist() == [
        38,
        76,
        304,
        646,
        912,
    ]  # shares 0, 0.1, 0.35, 0.7, 1


def test_a_layer_in_convolution_groups_is_timed_at_multiples_of_them() -> None:
    """8 channels in 4 groups into 12 filters, each following units of its own."""
    sizes = (Size(0, 8, 8), Size(1, 12, 12))
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=4, kernel_shape=[1, 1])
    weight = Tensor("w", (Following(12, 1), Following(2, 0), Following(1, None), Following(1, None)))
    image = Tensor("x", (Following(1, None), Following(8, 0), Following(5, None), Following(5, None)))
    layer = GraphLayer((node,), sizes, (image,), (weight,), (), (), ("y",))
    assert layer.steps == (4, 4)
    assert [points.channels.tolist() for points in layer.points(4)] == [[4, 8], [4, 12]]

    def alone(*channels: int) -> Alone:
        return Alone(layer.alone(channels, [helper.make_opsetid("", 18)]), layer.input_shapes(channels))

    milliseconds = milliseconds_of([alone(4, 4), alone(8, 12)], threads=1, batch=1)
    assert (milliseconds > 0).all()
    with pytest.raises(ExportError, match="cannot run a layer of this network alone"):
        milliseconds_of([alone(4, 6)], threads=1, batch=1)


@pytest.mark.parametrize(
    ("whole", "step", "points", "period"),
    [
        (20, 1, [*range(1, 21)], 16),
        (40, 4, [4, 8, 12, 16, 20, 24, 28, 32, 36, 40], 16),
        (160, 8, [8, 16, 24, 32, 56, 64, 152, 160], 16),  # blocks 1, 2, 4 (3.5) and 10 of 10
        (48, 3, [3, 15, 18, 30, 33, 48], 0),  # 3 divides no block, so remainders would say nothing: both ends
        (912, 38, [38, 76, 304, 646, 912], 0),
        (2048, 1, [1, 208, 720, 2048], 0),  # blocks 13 (12.8), 45 (44.8) and 128 of 128
    ],
)
def test_a_size_that_is_written_is_timed_at_every_number_of_some_blocks(
    whole: int, step: int, points: list[int], period: int
) -> None:
    found = every_point_of(Size(0, whole, whole), step)
    assert (found.channels.tolist(), found.period) == (points, period)


@pytest.mark.parametrize(
    ("whole", "step", "points"),
    [
        (20, 1, [1, 16, 20]),
        (160, 8, [8, 16, 64, 160]),  # blocks 1, 4 (3.5) and 10 of 10
        (912, 38, [38, 76, 304, 646, 912]),
    ],
)
def test_a_size_whose_channels_cost_alike_is_timed_at_few(whole: int, step: int, points: list[int]) -> None:
    assert points_on_a_line(Size(0, whole, whole), step).channels.tolist() == points


@pytest.mark.parametrize("share", [0.7, 1.4])  # alone, a layer that rearranges its activations takes longer
@pytest.mark.parametrize("quantum", [4, 8, 16])
def test_multiples_that_take_another_time_than_their_neighbours_are_found(quantum: int, share: float) -> None:
    channels = np.arange(33, 65)
    milliseconds = np.where(channels % quantum == 0, share, 1.0) * channels
    assert quantum_in(channels, milliseconds) == quantum
    assert quantum_in(channels, 1.0 * channels) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_of_convolution_that_likes_multiples_is_enough(kind: Convolution) -> None:
    def times(timed: Convolution, channels: Counts) -> FloatArray:
        return np.where((timed == kind) & (channels % 4 == 0), 0.5, 1.0) * channels

    assert quantum_of(times) == 4


def test_both_runtimes_time_the_same_convolutions() -> None:
    """Their kernels, groups and filters, and what they read."""
    told = []
    for kind in KINDS:
        graph, module = convolution(kind, 33, 2), eager_convolution(kind, 33, 2, torch.device("cpu"))
        (node,), (weight,) = graph.graph.graph.node, graph.graph.graph.initializer
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        layer = module.module
        assert isinstance(layer, torch.nn.Conv2d)
        assert (tuple(weight.dims), attributes["group"]) == (tuple(layer.weight.shape), layer.groups)
        assert attributes["pads"] == [*layer.padding, *layer.padding]
        assert graph.shapes["x"] == module.reads[0].shape == (2, 33, 28, 28)
        told.append((layer.kernel_size[0], layer.groups, layer.out_channels))
    assert told == [(3, 1, 64), (1, 1, 64), (3, 33, 33)]


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
