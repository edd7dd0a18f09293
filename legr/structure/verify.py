"""Prove that removing channels is exact: zeroed = removed, in float64, by the pruned model's own forward.

Nothing here uses how a structure was traced, so a wrong one is found out. One random kept set is no proof: kept
sets follow the binary code of the unit numbers, so that at least one keeps one unit of every pair and removes
the other.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from legr.errors import LegrError, TraceError, VerificationError
from legr.structure.copies import WithoutStatistics, at_least_one, stand_in, zeroed
from legr.structure.cost import cost
from legr.structure.examples import Example, Inputs, as_examples, inputs_dtype, noise_like, twice
from legr.structure.macs import counted, mac_counter
from legr.structure.model_io import as_traced, output_values
from legr.structure.surgery import prune
from legr.structure.types import BoolArray, Keep, Structure

_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-3}  # relative; exact structures stay below 1e-13 in float64


def verify(
    model: nn.Module,
    structure: Structure,
    example_input: Inputs | None = None,
    *,
    examples: Sequence[Inputs] = (),
    methods: Sequence[str] | Mapping[str, Inputs] = (),
) -> float:
    """Check that zeroing channels and removing them give the same function, and that costs are exact.

    Parameters and statistics of PyTorch's norms are randomised on a private copy first, so that the proof of a
    fresh model holds for a trained one. Other buffers are taken as they are: a model with a norm of its own that
    reads a buffer has to have its weights already. The model and the global random state are untouched.

    Args:
        model: the model that `structure` was traced from.
        example_input, examples, methods: as for `trace`; of floating-point tensors only shapes are used.

    Returns:
        The largest relative error over all kept sets (float64; about 1e-15 where all is well).

    Raises:
        VerificationError: two functions differ, the pruned model does not run, or its cost is not the
            predicted one; the message names the layer.
    """
    network, calls = _stand_in_and_calls(model, as_examples(model, example_input, examples, methods))
    worst = 0.0
    with as_traced(inputs_dtype(calls[0])):
        calls = _with_training(network, structure, calls)
        _require_dependence(network, calls[0])
        for number, keep in enumerate(separating_kept_sets(structure)):
            error, problem = _check(network, structure, keep, calls)
            if not problem and number == 0:
                problem = _does_not_train(network, structure, keep, calls[0])
            if problem:
                raise VerificationError(_blame(network, structure, calls, problem))
            worst = max(worst, error)
    return worst


def _stand_in_and_calls(model: nn.Module, examples: Sequence[Example]) -> tuple[nn.Module, list[Example]]:
    """A private copy with random values, and calls: in float64, or float32 where the forward insists on that."""
    for dtype in (torch.float64, torch.float32):
        generator = torch.Generator().manual_seed(0)
        network = stand_in(model, dtype, generator)
        calls = [noise_like(example, dtype, generator) for example in examples]
        try:
            with as_traced(dtype):
                for call in calls:
                    _outputs(network, call)
            break
        except RuntimeError as error:
            if dtype == torch.float32:
                raise TraceError(f"the model's forward fails: {error}") from error
    return network, calls


def _with_training(network: nn.Module, structure: Structure, calls: list[Example]) -> list[Example]:
    """The calls, and the first in training mode where only that reads some parameters, if it runs."""
    in_training = twice(calls[0])
    if structure.training_only and not any(call.training for call in calls) and _runs(network, in_training):
        return [*calls, in_training]
    return calls


def _runs(network: nn.Module, call: Example) -> bool:
    try:
        _outputs(network, call)
    except Exception:  # such as targets that are missing, or an input too small for its batch norms
        return False
    return True


def _require_dependence(network: nn.Module, call: Example) -> None:
    """Refuse a network whose outputs stay the same, whatever its input."""
    first = _outputs(network, call)
    for scale, shift in ((0.5, 0.1), (-1.0, 0.0), (3.0, -1.0), (0.0, 2.0)):

        def other(x: Tensor, scale: float = scale, shift: float = shift) -> Tensor:
            return x.flip(0) * scale + shift if x.is_floating_point() else x.flip(0)

        changed = _outputs(network, call.map(other))
        if first.keys() != changed.keys() or any(not torch.equal(a, changed[name]) for name, a in first.items()):
            return
    raise VerificationError("the model's output does not depend on its input, so nothing can be proved about it")


def separating_kept_sets(structure: Structure) -> Iterator[Keep]:
    """Kept sets that separate every pair of units: at least one keeps one of the two and removes the other.

    For each bit of the unit number there are two: units with the bit, and units without it. Where a layer would
    be left empty a unit is put back; pairs that this leaves together are separated by further kept sets.
    """
    numbers = np.arange(structure.n_units)
    patterns = np.zeros(structure.n_units, dtype=np.int64)  # units with one pattern were kept by the same kept sets
    bits = max(structure.n_units - 1, 1).bit_length() if structure.n_units else 0
    by_bit = ((numbers >> bit & 1) != value for bit in range(bits) for value in (1, 0))
    for kept in chain(by_bit, (_halve(patterns) for _ in range(bits))):
        units = at_least_one(structure, kept)
        if not units.all():
            patterns[:] = np.unique(2 * patterns + units, return_inverse=True)[1]
            yield Keep(units)


def _halve(patterns: NDArray[np.int64]) -> BoolArray:
    """Keep every second one of the units that no kept set has separated yet, bool[U].

    Example: patterns [0, 1, 0, 0, 1]. Units 0, 2, 3 are not separated, nor are 1 and 4: keep 0 and 3, and 1.
    """
    order = np.argsort(patterns, kind="stable")  # [0, 2, 3, 1, 4]
    starts = np.searchsorted(patterns[order], patterns[order])  # where each pattern begins: [0, 0, 0, 3, 3]
    units = np.ones(len(patterns), dtype=bool)
    units[order] = (np.arange(len(order)) - starts) % 2 == 0  # [True, False, True, True, False]
    return units


def _check(network: nn.Module, structure: Structure, keep: Keep, calls: Sequence[Example]) -> tuple[float, str]:
    """Relative error between zeroed and removed over all calls, and what is wrong; "" if nothing is."""
    worst = 0.0
    for number, call in enumerate(calls):
        error, problem = _compare(network, structure, keep, call, counting=number == 0)
        worst = max(worst, error)
        if problem:
            return worst, problem if number == 0 else f"{_words(call)} {problem}"
    return worst, ""


def _words(call: Example) -> str:
    """A call that is not the first one, in a sentence."""
    method = "" if call.method == "forward" else f"in {call.method} "
    sizes = " and ".join(str(tuple(x.shape)) for x in call.tensors)
    return f"{method}{'in training mode ' if call.training else ''}with inputs {sizes}"


def _compare(
    network: nn.Module, structure: Structure, keep: Keep, call: Example, *, counting: bool
) -> tuple[float, str]:
    """Relative error between zeroed and removed in one call, and what is wrong; "" if nothing is.

    Args:
        counting: whether it is the call whose MACs are those of the structure.
    """
    with zeroed(network, structure, keep):
        expected = _outputs(network, call, structure.exempt)
    try:
        smaller = prune(network, structure, keep).requires_grad_(False)  # modules called on parameters count as well
        with mac_counter() as counter:
            removed = _outputs(smaller, call, structure.exempt)
    except LegrError:
        raise
    except Exception as failure:
        return float("inf"), f"the pruned model does not run ({str(failure).strip().splitlines()[0]})"
    if expected.keys() != removed.keys():
        return float("inf"), "the pruned model returns other things"
    errors = [_relative_error(value, removed[name]) for name, value in expected.items()]
    error = float(np.max(errors))  # a NaN stays one
    if not error <= _TOLERANCE[inputs_dtype(call)]:
        return error, f"zeroing and removing its channels differ by {error:.1e}"
    predicted = cost(structure, keep)
    params = sum(p.numel() for p in smaller.parameters())
    macs = counted(counter) if counting else predicted.macs
    if (predicted.params, predicted.macs) != (params, macs):
        return error, (
            f"its predicted cost ({predicted.macs} MACs, {predicted.params} parameters) "
            f"is not the counted one ({macs}, {params})"
        )
    return error, ""


def _does_not_train(network: nn.Module, structure: Structure, keep: Keep, call: Example) -> str:
    """Why a pruned network does not run in training mode; "" if it does, or if the original does not either."""
    in_training = twice(call)
    if not _runs(network, in_training):
        return ""
    try:
        _outputs(prune(network, structure, keep), in_training)
    except Exception as failure:
        return f"the pruned model does not run in training mode ({str(failure).strip().splitlines()[0]})"
    return ""


def _outputs(network: nn.Module, call: Example, exempt: Collection[str] = ()) -> dict[str, Tensor]:
    """What a call returns without dropout, and with the affine part alone of exempt norms; by place in the output."""
    private = call.map(torch.clone)
    torch.default_generator.manual_seed(0)  # a forward that draws numbers draws the same ones again
    network.train(call.training)
    try:
        with torch.inference_mode(), WithoutStatistics(network, exempt):
            output = private.run(network)
        return output_values(output)
    finally:
        network.eval()


def _relative_error(expected: Tensor, actual: Tensor) -> float:
    """The largest difference, relative to the largest expected value; infinite where shapes differ."""
    if expected.shape != actual.shape:
        return float("inf")
    if not expected.numel():
        return 0.0
    expected, actual = (x if x.is_complex() else x.double() for x in (expected, actual))
    return float((expected - actual).abs().max()) / max(float(expected.abs().max()), 1e-300)


def _blame(network: nn.Module, structure: Structure, calls: Sequence[Example], problem: str) -> str:
    """Find the first group whose removal alone goes wrong, and say so."""
    for group in structure.groups:
        units = np.ones(structure.n_units, dtype=bool)
        units[group.units[len(group.units) // 2 :]] = False
        _, alone = _check(network, structure, Keep(at_least_one(structure, units)), calls)
        if alone:
            return f"layer {group.name} cannot be pruned: {alone}; the model is refused"
    names = ", ".join(layer.name for layer in structure.layers[:3])
    return f"layers {names} … cannot be pruned together: {problem}; the model is refused"
