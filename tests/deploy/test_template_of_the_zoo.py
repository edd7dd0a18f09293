"""The template of networks whose graphs hold sizes of many kinds: convolution groups, splits, shuffles, shortcuts."""

import pytest

from benchmarks.onnx_graphs import measure

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("cifar_resnet20", 1),  # what the linear layer reads
        ("shufflenet_v2_x0_5", 17),  # convolution groups of depthwise layers
        ("convnext_tiny", 19),  # activations in channels last
    ],
)
def test_a_filled_graph_is_the_export_of_the_pruned_network(name: str, numbers: int) -> None:
    row = measure(name)
    assert (row["numbers"], row["same"], row["runs_the_same"]) == (numbers, row["budgets"], True)
