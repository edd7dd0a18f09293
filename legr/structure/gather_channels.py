"""A layer that picks, repeats or blanks channels by an index buffer: an identity shortcut that changes width.

A trace recognises it by its type, and surgery rewrites `index`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class GatherChannels(nn.Module):
    """Output channel j is input channel `sources[j]`, or zeros where `sources[j]` is -1.

    A padded (option-A) shortcut written with `F.pad` couples channel i of one stage with channel i + pad of the
    next. Written with an index, either may be pruned without the other: the entry is then dropped, or pointed at
    the blank channel.

    Args:
        sources: for every output channel the input channel that it copies, or -1 for a blank one.
    """

    index: Tensor

    def __init__(self, sources: Sequence[int]) -> None:
        super().__init__()
        # 0 is the blank channel that forward puts in front, so input channel i is index i + 1.
        # Not persistent: the index belongs to the architecture, and weight files of other code do not have it.
        self.register_buffer("index", torch.tensor(sources, dtype=torch.int64) + 1, persistent=False)

    def forward(self, x: Tensor) -> Tensor:  # [N, C_in, H, W] -> [N, C_out, H, W]
        blank = x.new_zeros((x.shape[0], 1, *x.shape[2:]))
        return torch.cat((blank, x), dim=1).index_select(1, self.index)

    def extra_repr(self) -> str:
        return f"out_channels={self.index.numel()}, blank={int((self.index == 0).sum())}"
