"""The way of torch-pruning to a budget, for comparison: prune copies at bisected ratios until the MACs fit."""

import copy
import io
import time
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from legr.structure.gather_channels import GatherChannels

INSTALL = "python -m pip install -r benchmarks/requirements.txt"
TOLERANCE = 0.01  # of the target
ATTEMPTS = 12
WRONG = 1e-3  # relative error of zeroed = removed in float32, far above rounding


@dataclass(frozen=True)
class Outcome:
    """What became of a bisection."""

    seconds: float  # of the bisection alone
    attempts: int  # networks pruned on the way
    reached: bool  # the last one is within the tolerance
    verdict: str  # in words what the last one is, and what went wrong on the way


def is_installed() -> bool:
    """Whether torch-pruning is there."""
    return find_spec("torch_pruning") is not None


def reach(model: nn.Module, image: Tensor, target: float) -> Outcome:
    """Bisect the global pruning ratio until torch-pruning's own count is within 1 % of `target` of the MACs."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return _bisect(model, image, target)


def with_pads(model: nn.Module) -> nn.Module:
    """A copy whose padded shortcuts are written with `F.pad`, as they are elsewhere; the same function."""
    padded = copy.deepcopy(model)
    for name, module in list(padded.named_modules()):
        if isinstance(module, GatherChannels):
            padded.set_submodule(name, PaddedShortcut(int((module.index == 0).sum()) // 2))
    return padded


class PaddedShortcut(nn.Module):
    """Blank channels on both sides; `width` of them on each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C + 2 width, H, W)
        return F.pad(x, (0, 0, 0, 0, self.width, self.width))


def _bisect(model: nn.Module, image: Tensor, target: float) -> Outcome:
    import torch_pruning as tp

    failure = ""
    start = time.perf_counter()
    dense = tp.utils.count_ops_and_params(model, image)[0]
    low, high = 0.0, 1.0
    for attempt in range(1, ATTEMPTS + 1):
        ratio = (low + high) / 2
        try:
            share = tp.utils.count_ops_and_params(_prune(model, image, ratio), image)[0] / dense
        except (RuntimeError, ValueError, ArithmeticError, LookupError) as error:
            failure = f"; at ratio {ratio:.3g} it stops: {error}"
            share = 0.0  # a gentler ratio may do
        if abs(share / target - 1) <= TOLERANCE:
            seconds = time.perf_counter() - start
            return Outcome(
                seconds, attempt, True, f"{100 * share:.1f} % of its MACs{_check(model, image, ratio)}{failure}"
            )
        low, high = (ratio, high) if share > target else (low, ratio)
    seconds = time.perf_counter() - start
    return Outcome(seconds, ATTEMPTS, False, f"not within {100 * TOLERANCE:g} % of the target{failure}")


def _prune(model: nn.Module, image: Tensor, ratio: float, zeroed: nn.Module | None = None) -> nn.Module:
    """Prune a copy; in `zeroed`, of the original's size, the norms blank the channels that go."""
    import torch_pruning as tp

    smaller = copy.deepcopy(model)
    names = {module: name for name, module in smaller.named_modules()}
    pruner = tp.pruner.BasePruner(
        smaller,
        image,
        importance=tp.importance.GroupMagnitudeImportance(p=2),
        global_pruning=True,
        pruning_ratio=ratio,
        ignored_layers=[module for module in smaller.modules() if isinstance(module, nn.Linear)][-1:],
    )
    for group in pruner.step(interactive=True):
        if zeroed is not None:
            for dependency, positions in group:
                _blank(zeroed, names.get(dependency.target.module), positions)
        group.prune()
    return smaller


def _blank(network: nn.Module, name: str | None, positions: Sequence[int]) -> None:
    norm = None if name is None else network.get_submodule(name)
    if isinstance(norm, nn.BatchNorm2d):
        with torch.no_grad():
            norm.weight[positions] = 0
            norm.bias[positions] = 0


def _check(model: nn.Module, image: Tensor, ratio: float) -> str:
    """Whether removing the channels that it removes is the same as zeroing them."""
    zeroed = copy.deepcopy(model)
    smaller = _prune(model, image, ratio, zeroed)
    with torch.no_grad():
        expected = zeroed(image)
        error = float((smaller(image) - expected).abs().max() / expected.abs().max())
    return f", {'zeroed = removed' if error <= WRONG else 'WRONG: not the function of zeroing'} (error {error:.0e})"
