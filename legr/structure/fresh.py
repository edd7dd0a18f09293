"""Fresh values for the integer inputs of a model, which a proof needs: with constant inputs much stays hidden.

What integers mean is not known: pixels may be any of their type, indices must stay below a size, lengths must fit. So
it is tried out which values the model takes.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto

import torch
from torch import Tensor

from legr.structure.examples import Example, noise_like

_NARROW = (torch.uint8, torch.int8, torch.int16, torch.uint16)  # pixels and samples, as a rule

Run = Callable[[Example], Mapping[str, Tensor]]
"""A call -> its outputs."""


class Integers(Enum):
    """Which values integer inputs get, from the boldest on."""

    ANY = auto()  # whatever a narrow type can hold, truth values that are all the same included; others as below
    SEEN = auto()  # between the smallest and the largest of the example, or 0 and 1; truth values change places
    GIVEN = auto()  # those of the example


def draw_integers(x: Tensor, integers: Integers, generator: torch.Generator) -> Tensor:
    """Other values for one integer tensor; a single number is a setting, and stays."""
    if integers is Integers.GIVEN or x.dim() == 0 or not x.numel() or _is_inexact(x):
        return x
    low, high = (int(bound) for bound in x.long().aminmax())
    if x.dtype == torch.bool and (integers is Integers.SEEN or low < high):
        return x.flatten()[torch.randperm(x.numel(), generator=generator)].view(x.shape)
    if integers is Integers.ANY and x.dtype in _NARROW:
        low, high = torch.iinfo(x.dtype).min, torch.iinfo(x.dtype).max
    elif low == high:
        low, high = min(low, 0), max(high, 1)
    return torch.randint(low, high + 1, x.shape, generator=generator).to(x.dtype)


def fresh(example: Example, dtype: torch.dtype, generator: torch.Generator, run: Run) -> tuple[Example, Integers]:
    """A call with random values, the integers among them as bold as the model takes them.

    Bold enough are those with which it returns finite values, in the shapes that the example's own give.
    """
    call = noise_like(example, dtype, generator)
    if example.training or all(_is_inexact(x) or x.dim() == 0 for x in example.tensors):
        return call, Integers.GIVEN
    usual = run(call)
    for integers in (Integers.ANY, Integers.SEEN):
        bold = [call.map(lambda x: draw_integers(x, integers, generator)) for _ in range(2)]  # noqa: B023
        try:
            outputs = [run(other) for other in bold]
        except Exception:  # such as an index beyond the last row
            continue
        if all(_are_alike(usual, other) for other in outputs):
            return bold[0], integers
    return call, Integers.GIVEN


def _is_inexact(x: Tensor) -> bool:
    return x.is_floating_point() or x.is_complex()


def _are_alike(usual: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return usual.keys() == other.keys() and all(
        x.shape == other[name].shape and bool(other[name].isfinite().all() or not x.isfinite().all())
        for name, x in usual.items()
    )
