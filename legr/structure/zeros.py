"""A layer that stands where one has left with its branch: it computes nothing, and returns zeros of the right shape.

The model's own forward stays, so it is still called, and what it returns may be written into.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

MARKER = "marker"


class Zeros(nn.Module):
    """Zeros of the shape that a module would have returned.

    Args:
        dim: along which channels lie; -1: along none.
        channels: how many there are.
        windows: how each dim follows that of the input: (size + shift) // stride, for (shift, stride).

    For an export it may get a buffer of the name `MARKER`, which says in a graph where its zeros come from.
    """

    def __init__(self, dim: int, channels: int, windows: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.dim, self.channels, self.windows = dim, channels, tuple(windows)

    def forward(self, x: Tensor, *_: Any, **__: Any) -> Tensor:
        pairs = zip(x.shape, self.windows, strict=True)
        shape = [size if window == (0, 1) else (size + window[0]) // window[1] for size, window in pairs]
        if self.dim >= 0:
            shape[self.dim] = self.channels
        marker = self._buffers.get(MARKER)
        return x.new_zeros(shape) if marker is None else marker.expand(shape).clone()

    def extra_repr(self) -> str:
        return f"channels={self.channels}"
