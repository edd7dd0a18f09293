"""A latency table: values between the numbers that were timed, computed by hand."""

import numpy as np
import pytest

from legr.structure.latency import Fit, LatencyTable, LayerTimes, Passage, Size, TimedLayer

# A layer of up to 8 channels in which multiples of 4 are fast: 4 -> 1 ms, 8 -> 2 ms; 1 -> 3 ms, 7 -> 6 ms.
WIDTHS = LayerTimes((np.array([1, 4, 7, 8]),), np.array([3.0, 1.0, 6.0, 2.0]), 4)


@pytest.mark.parametrize(
    ("channels", "milliseconds"),
    [(1, 3.0), (4, 1.0), (8, 2.0), (7, 6.0), (3, 4.0), (5, 5.0), (0, 0.0)],  # 3: a third of the way from 1 to 7
)
def test_numbers_are_read_between_those_of_their_own_kind(channels: int, milliseconds: float) -> None:
    assert WIDTHS.at([np.array([float(channels)])]) == pytest.approx(milliseconds)


@pytest.mark.parametrize(("channels", "milliseconds"), [(6, 2.0), (10, 3.0), (7, 3.5), (3, 3.0), (0, 0.0)])
def test_with_a_period_numbers_are_read_between_those_that_leave_the_same_remainder(
    channels: int, milliseconds: float
) -> None:
    """Remainders of 4: 2 -> 1 ms and 14 -> 4 ms leave 2; 3 -> 3 ms and 11 -> 4 ms leave 3."""
    times = LayerTimes((np.array([2, 3, 11, 14]),), np.array([1.0, 3.0, 4.0, 4.0]), 1, (4,))
    assert times.at([np.array([float(channels)])]) == pytest.approx(milliseconds)


def test_each_number_has_a_period_of_its_own() -> None:
    """The first is read on a line. The second: odd numbers between 1 and 5, even ones between 2 and 4."""
    milliseconds = np.array([[1.0, 10.0, 20.0, 5.0], [3.0, 30.0, 40.0, 9.0]])
    times = LayerTimes((np.array([2, 4]), np.array([1, 2, 4, 5])), milliseconds, 1, (0, 2))
    found = times.at([np.array([2.0, 3.0, 4.0]), np.array([3.0, 3.0, 3.0])])
    assert found.tolist() == pytest.approx([3.0, 4.5, 6.0])
    assert times.at([np.array([3.0]), np.array([4.0])]) == pytest.approx(30.0)


def test_a_layer_that_is_replaced_where_it_leaves_is_counted_still() -> None:
    layer = TimedLayer("inner", 0, (Size(0, 8, 8),), "inner.weight", inside=(0,))
    table = LatencyTable((layer, layer), (WIDTHS,), (), 4, Fit(2.0, 0.5, 0.0), replaced=True)
    assert table.milliseconds(np.array([[8, 0]])).tolist() == pytest.approx([2 * 4.0 + 2 * 0.5, 2 * 0.5])


def test_two_numbers_are_read_between_four_corners() -> None:
    times = LayerTimes((np.array([4, 8]), np.array([4, 12])), np.array([[1.0, 3.0], [2.0, 6.0]]), 4)
    # 8 lies half way from 4 to 12: 2 in the first row, 4 in the second.
    assert times.at([np.array([4.0, 8.0]), np.array([8.0, 8.0])]).tolist() == pytest.approx([2.0, 4.0])


def test_layers_of_an_empty_branch_take_no_time() -> None:
    inner, stream = Size(0, 8, 8), Size(1, 8, 8)
    layers = (
        TimedLayer("first", 0, (inner,), "first.weight", inside=(0,)),
        TimedLayer("depthwise", 0, (stream,), "depthwise.weight", inside=(0,)),  # in the branch, as wide as the stream
        TimedLayer("other", 0, (stream,), "other.weight"),
    )
    passages = (
        Passage(250_000, stream, (inner,)),
        Passage(250_000, stream, (stream,)),
        Passage(250_000, stream, (stream,), inside=(0,)),  # to a layer of the branch
    )
    table = LatencyTable(layers, (WIDTHS,), passages, 4, Fit(1.0, 0.0, 0.0))
    counts = np.array([[8, 0], [8, 8]])
    alone, number, megabytes = table.features(counts)
    assert alone.tolist() == pytest.approx([6.0, 2.0])
    assert number.tolist() == [3, 1]
    assert megabytes.tolist() == pytest.approx([24.0, 8.0])


def test_a_network_is_the_sum_of_its_layers_less_what_passages_save() -> None:
    width = Size(0, 8, 16)  # 8 channels follow a label vector of 16 positions
    layer = TimedLayer("conv", 0, (width,), "conv.weight")
    head = TimedLayer("head", 1, (), None)
    table = LatencyTable(
        layers=(layer, layer, head),
        times=(WIDTHS, LayerTimes((), np.array(0.5), 4)),
        passages=(Passage(250_000, width, (width,)),),  # 1 MB of float32 a channel
        quantum=4,
        fit=Fit(scale=2.0, overhead_ms=0.1, saved_ms=0.05),
    )
    counts = np.array([[16, 10]])  # 8 channels, and 5
    alone, layers, megabytes = table.features(counts)
    assert alone.tolist() == pytest.approx([2 + 2 + 0.5, 5 + 5 + 0.5])
    assert layers.tolist() == [3, 3]
    assert megabytes.tolist() == pytest.approx([8.0, 0.0])  # 5 channels are rearranged in between
    assert table.milliseconds(counts).tolist() == pytest.approx([2 * 4.5 + 0.3 - 0.4, 2 * 10.5 + 0.3])
    assert table.by_layer(counts)[:, 0].tolist() == pytest.approx([8.9 * 2 / 4.5, 8.9 * 2 / 4.5, 8.9 * 0.5 / 4.5])
