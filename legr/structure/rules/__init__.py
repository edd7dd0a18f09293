"""The table of operations: how channel labels flow through each one, and what it assumes.

It does not know models or pruning. An operation that is not in the table makes the channels that
touch it unremovable, and is reported: never a guess.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from legr.structure.rules.call import Call, unknown, varying
from legr.structure.rules.elementwise import divide, pointwise
from legr.structure.rules.layers import batch_norm, convolution, gather_channels, linear
from legr.structure.rules.movement import concatenate, pad, pick, view
from legr.structure.rules.reduction import pooling, reduce_dims

if TYPE_CHECKING:
    from legr.structure.trace import Tracer

__all__ = ["READS_AXES", "Call", "base_name", "find", "gather_channels", "is_view", "unknown", "varying"]

Rule = Callable[["Tracer", Call], None]


def _table(rule: Rule, *names: str) -> dict[str, Rule]:
    return dict.fromkeys(names, rule)


_LAYERS: dict[str, Rule] = {
    **_table(convolution, "conv1d", "conv2d", "conv3d", "convolution"),
    **_table(linear, "linear"),
    **_table(batch_norm, "batch_norm"),
}
_RULES: dict[str, Rule] = {
    **_LAYERS,
    **_table(concatenate, "cat", "concat", "concatenate"),
    **_table(pad, "pad", "constant_pad_nd"),
    **_table(
        pooling,
        *(f"{kind}_pool{n}d" for n in (1, 2, 3) for kind in ("max", "avg", "adaptive_avg", "adaptive_max")),
        *(f"max_pool{n}d_with_indices" for n in (2, 3)),
    ),
    **_table(reduce_dims, "mean"),
    **_table(divide, "div"),
    **_table(pick, "slice", "select", "narrow", "split", "split_with_sizes", "chunk", "unbind", "tensor_split"),
    **_table(
        pointwise,
        *(
            "relu",
            "relu6",
            "hardtanh",
            "hardswish",
            "hardsigmoid",
            "sigmoid",
            "silu",
            "gelu",
            "tanh",
            "elu",
            "celu",
        ),
        *(
            "selu",
            "leaky_relu",
            "mish",
            "softplus",
            "dropout",
            "feature_dropout",
            "add",
            "sub",
            "mul",
            "neg",
        ),
        *("clamp", "clone", "contiguous", "_to_copy"),
    ),
}
_VIEWS = frozenset(
    [
        "view",
        "_unsafe_view",
        "permute",
        "transpose",
        "t",
        "unsqueeze",
        "squeeze",
        "expand",
        "alias",
        "detach",
        "lift_fresh",
    ]
)
#: Operations that read the axes of a parameter one by one; all others take it as a whole.
READS_AXES = frozenset(_LAYERS)


def base_name(func: Any) -> str:
    """Name without overload and without the underscore of the in-place form: "relu_" is "relu"."""
    name = str(func._schema.name).removeprefix("aten::")
    return name if name.startswith("_") else name.removesuffix("_")


def find(func: Any) -> Rule | None:
    """The rule for an operation, or None."""
    if func.namespace != "aten":
        return None
    name = base_name(func)
    return view if name in _VIEWS else _RULES.get(name)


def is_view(func: Any) -> bool:
    """Whether an operation only changes how its input is looked at."""
    return base_name(func) in _VIEWS or _RULES.get(base_name(func)) is pick
