"""The dial's table read by other means than the browser's: every cell written out, as the tests compare it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.budget_dial.types import TableData

MEASURED = ("latency_measured", "before_measured", "after_measured", "after_together")


def sizes_of(told: list[int]) -> list[int]:
    """The sizes that run lengths tell."""
    sizes = told[:1]
    for step in told[1:]:
        sizes += [sizes[-1]] * -step if step < 0 else [sizes[-1] + step]
    return sizes


def plain_table(sent: TableData) -> dict[str, Any]:
    """The table with rows of ints: kept, layer_macs, layer_params; and of bools, whether a figure was measured."""
    sizes = np.array([sizes_of(told) for told in sent["axis_sizes"]])  # int64[W, S]

    def product(cost: list[int]) -> NDArray[np.int64]:
        return np.prod(sizes[cost[1:]], axis=0) * cost[0]

    layers = sent["layers"]
    return {
        **sent,
        **{name: [row in sent[name] for row in range(len(sent["macs"]))] for name in MEASURED},  # type: ignore[literal-required]
        "layers": [layer["name"] for layer in layers],
        "totals": [sent["axis_totals"][layer["filters"]] for layer in layers],
        "kept": np.array([sizes[layer["filters"]] for layer in layers]).T.tolist(),
        "layer_macs": np.array([sum(map(product, layer["macs"])) for layer in layers]).T.tolist(),
        "layer_params": np.array([product(layer["params"]) for layer in layers]).T.tolist(),
    }
