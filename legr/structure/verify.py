"""Prove that removing channels is exact: zeroed = removed, in float64, by the pruned model's own forward.

It does not know how a structure was found, so it can prove it wrong.

One random mask is no proof: masks follow the binary code of the unit numbers, so that every pair of
units is separated by at least one of them.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only
from torch.utils.flop_counter import FlopCounterMode

from legr.errors import LegrError, VerificationError
from legr.structure.copies import WithoutStatistics, at_least_one, randomise, zeroed
from legr.structure.cost import cost
from legr.structure.edges import Inputs, as_inputs, as_traced, noise_like, output_tensors, private_copy, twice
from legr.structure.surgery import prune
from legr.structure.types import BoolArray, Keep, Structure

_TOLERANCE = 1e-9  # relative, float64; exact structures stay below 1e-13


def verify(model: nn.Module, structure: Structure, example_input: Inputs) -> float:
    """Check that zeroing channels and removing them give the same function, and that costs are exact.

    Norm parameters and statistics are randomised on a private copy first, so that a fresh model is
    proved as well as a trained one. The model and the global random state are untouched.

    Args:
        model: the model that `structure` was traced from.
        example_input: as for `trace`; only shapes and integer values are used.

    Returns:
        The largest relative error over all masks (float64; about 1e-15 where all is well).

    Raises:
        VerificationError: two functions differ, the pruned model does not run, or its cost is not the
            predicted one; the message names the layer.
    """
    generator = torch.Generator().manual_seed(0)
    network = private_copy(model).double()
    randomise(network, generator)
    inputs = noise_like(as_inputs(example_input), torch.float64, generator)
    other = tree_map_only(Tensor, lambda x: x.flip(0) * 0.5 + 0.1 if x.is_floating_point() else x, inputs)
    worst = 0.0
    with as_traced(torch.float64):
        if all(torch.equal(a, b) for a, b in zip(_outputs(network, inputs), _outputs(network, other), strict=True)):
            raise VerificationError(
                "the model's output does not depend on its input, so nothing can be proved about it"
            )
        for number, keep in enumerate(masks(structure)):
            error, problem = _check(network, structure, keep, inputs)
            if not problem and number == 0:
                problem = _does_not_train(network, structure, keep, inputs)
            if problem:
                raise VerificationError(_blame(network, structure, inputs, problem))
            worst = max(worst, error)
    return worst


def masks(structure: Structure) -> Iterator[Keep]:
    """Plans that separate every pair of units: for each bit of the unit number, those with it and those without.

    Where a layer would be left empty a unit is put back; pairs that this leaves together are separated by
    further plans.
    """
    numbers = np.arange(structure.n_units)
    patterns = np.zeros(structure.n_units, dtype=np.int64)  # units with the same number were always kept together
    bits = max(structure.n_units - 1, 1).bit_length() if structure.n_units else 0
    plans = ((numbers >> bit & 1) != value for bit in range(bits) for value in (1, 0))
    for plan in chain(plans, (_halving(patterns) for _ in range(bits))):
        units = at_least_one(structure, plan)
        if not units.all():
            patterns[:] = np.unique(2 * patterns + units, return_inverse=True)[1]
            yield Keep(units)


def _halving(patterns: NDArray[np.int64]) -> BoolArray:
    """Remove every second one of the units that no plan has separated yet."""
    order = np.argsort(patterns, kind="stable")
    starts = np.searchsorted(patterns[order], patterns[order])
    units = np.ones(len(patterns), dtype=bool)
    units[order] = (np.arange(len(order)) - starts) % 2 == 0
    return units


def _check(network: nn.Module, structure: Structure, keep: Keep, inputs: tuple[Any, ...]) -> tuple[float, str]:
    """Relative error between zeroed and removed, and what is wrong ("" if nothing is)."""
    error, problem = _compare(network, structure, keep, inputs)
    if problem or not structure.training_only:
        return error, problem
    network.train()
    try:
        in_training, problem = _compare(network, structure, keep, twice(inputs))
    finally:
        network.eval()
    return max(error, in_training), problem and f"in training mode {problem}"


def _compare(network: nn.Module, structure: Structure, keep: Keep, inputs: tuple[Any, ...]) -> tuple[float, str]:
    exempt = bool(structure.exempt) or network.training
    with zeroed(network, structure, keep):
        expected = _outputs(network, inputs, exempt)
    try:
        smaller = prune(network, structure, keep)
        with FlopCounterMode(display=False) as counter:
            removed = _outputs(smaller, inputs, exempt)
    except LegrError:
        raise
    except Exception as failure:
        return float("inf"), f"the pruned model does not run ({str(failure).strip().splitlines()[0]})"
    error = float(np.max([_relative(a, b) for a, b in zip(expected, removed, strict=True)]))  # a NaN stays one
    if not error <= _TOLERANCE:
        return error, f"zeroing and removing its channels differ by {error:.1e}"
    predicted = cost(structure, keep)
    params = sum(p.numel() for p in smaller.parameters())
    macs = predicted.macs if network.training else counter.get_total_flops() // 2
    if (predicted.params, predicted.macs) != (params, macs):
        return error, (
            f"its predicted cost ({predicted.macs} MACs, {predicted.params} parameters) "
            f"is not the counted one ({macs}, {params})"
        )
    return error, ""


def _does_not_train(network: nn.Module, structure: Structure, keep: Keep, inputs: tuple[Any, ...]) -> str:
    """Why a pruned network does not run in training mode ("" if it does, or if the original does not either)."""
    network.train()
    try:
        _outputs(network, twice(inputs))
    except Exception:  # too small an input for its batch norms, say
        return ""
    finally:
        network.eval()
    try:
        _outputs(prune(network, structure, keep).train(), twice(inputs))
    except Exception as failure:
        return f"the pruned model does not run in training mode ({str(failure).strip().splitlines()[0]})"
    return ""


def _outputs(network: nn.Module, inputs: tuple[Any, ...], exempt: bool = False) -> list[Tensor]:
    """What the model returns; where norms over channels are exempt, with their affine part alone."""
    private = tree_map_only(Tensor, torch.clone, inputs)
    torch.default_generator.manual_seed(0)  # a forward that draws numbers draws the same ones again
    with torch.inference_mode(), WithoutStatistics() if exempt else nullcontext():
        return output_tensors(network(*private))


def _relative(expected: Tensor, found: Tensor) -> float:
    if expected.shape != found.shape:
        return float("inf")
    scale = max(float(expected.abs().max()), 1e-300) if expected.numel() else 1.0
    return float((expected - found).abs().max()) / scale if expected.numel() else 0.0


def _blame(network: nn.Module, structure: Structure, inputs: tuple[Any, ...], problem: str) -> str:
    """Find the first group whose removal alone goes wrong, and say so."""
    for group in structure.groups:
        units = np.ones(structure.n_units, dtype=bool)
        units[group.units[len(group.units) // 2 :]] = False
        _, alone = _check(network, structure, Keep(at_least_one(structure, units)), inputs)
        if alone:
            return f"layer {group.name} cannot be pruned: {alone}; the model is refused"
    names = ", ".join(layer.name for layer in structure.layers[:3])
    return f"layers {names} … cannot be pruned together: {problem}; the model is refused"
