"""Numbers by which branches are multiplied where they are added: at 0 a branch adds nothing, and has a slope.

What is added is not always what the branch's last layer returns: behind it there may be a gate, an activation or a sum
of two paths. So each operation of a pass is looked at as the forward calls it. Surgery puts zeros in the place of a
branch's layers, and what is zero then belongs to the branch; the addition of such a tensor to another one is its end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from legr.structure.operations import tensors_of
from legr.structure.types import Branch

_ADDITIONS = ("add", "add_")  # as which all of them are called, whether written x + y or x += y


class BranchEnds:
    """Runs a network with some of its branches multiplied by a number each.

    Where a branch is added by code that cannot be followed, such as a scripted block, the results of all its layers are
    multiplied: at 0 it adds nothing either, but its slope is 0 where several of them follow each other.
    """

    def __init__(self, network: nn.Module, branches: Sequence[Branch]) -> None:
        self._branches = branches
        self._hidden: set[int] = set()  # branches whose addition was not seen in a pass
        self._pass = _Pass({}, {})
        for number, branch in enumerate(branches):
            for removed in branch.removed:
                module = network.get_submodule(removed.module)
                module.register_forward_pre_hook(partial(self._enter, number))
                module.register_forward_hook(partial(self._leave, number))

    def run(
        self,
        factors: Mapping[int, Tensor],
        parameters: Mapping[str, Tensor],
        compute: Callable[[Mapping[str, Tensor]], Tensor],
    ) -> Tensor:
        """What a pass of the network returns.

        Args:
            factors: by number of the branch.
            compute: runs the network with the parameters that it is given.
        """
        while True:
            read, dropped = dict(parameters), {n: self._branches[n].dropped for n in factors}
            for number in self._hidden & factors.keys():
                read.update((name, read[name] * factors[number]) for name in dropped[number])
            self._pass = _Pass(factors, {number: len(self._branches[number].removed) for number in factors})
            for number, names in dropped.items():
                self._pass.note(number, [read[name] for name in names])
            with self._pass if factors else nullcontext():
                returned = compute(read)
            missed = factors.keys() - self._pass.ended - self._hidden
            if not missed:
                return returned
            self._hidden |= missed

    def _enter(self, number: int, module: nn.Module, inputs: object) -> None:
        self._pass.depth += number in self._pass.factors

    def _leave(self, number: int, module: nn.Module, inputs: object, output: Tensor) -> Tensor:
        if number not in self._pass.factors:
            return output
        if number in self._hidden:
            output = output * self._pass.factors[number]
        else:
            self._pass.note(number, [output])
        self._pass.layers[number] -= 1
        self._pass.depth -= 1
        return output


class _Pass(TorchFunctionMode):
    """Follows what is zero where the branches' layers return zeros, up to the additions.

    Attributes:
        layers: how many layers of each branch have not returned yet.
        depth: how many layers of branches are running.
        ended: branches whose addition has run.
    """

    def __init__(self, factors: Mapping[int, Tensor], layers: dict[int, int]) -> None:
        super().__init__()
        self.factors, self.layers = factors, layers
        self.depth, self.ended = 0, set[int]()
        self._zeros: dict[int, tuple[torch.UntypedStorage, int]] = {}  # each kept, so that none takes its address

    def note(self, number: int, tensors: Iterable[Tensor]) -> None:
        """Tensors of a branch that are zero where it is emptied."""
        for x in tensors:
            storage = x.untyped_storage()
            self._zeros[storage._cdata] = storage, number

    def _branch_of(self, x: Tensor) -> int | None:
        found = self._zeros.get(x.untyped_storage()._cdata)
        return None if found is None else found[1]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "").partition(".")[0]
        if self.depth or not self._zeros or name == "__get__":
            return func(*args, **kwargs)
        inputs = tensors_of((*args, *kwargs.values()))
        numbers = [self._branch_of(x) for x in inputs]
        ending = {n for n in numbers if n is not None and not self.layers[n]}  # before its last layer a sum is inside
        if name in _ADDITIONS and len({*numbers}) == 2 and inputs[0].shape == inputs[1].shape and ending:
            return self._add(ending, func, args, kwargs)
        number = next((n for n in numbers if n is not None), None)
        if number is None:
            return func(*args, **kwargs)
        stand_ins = {
            id(x): x.clone() if n is None else torch.zeros_like(x) for x, n in zip(inputs, numbers, strict=True)
        }
        with torch.no_grad():
            emptied = _replaced(args, stand_ins)
            zeros = _results(func(*emptied, **_replaced(kwargs, stand_ins)), emptied)
        returned = func(*args, **kwargs)
        for x, zero in zip(_results(returned, args), zeros, strict=True):
            self._zeros.pop(x.untyped_storage()._cdata, None)
            if not zero.any():
                self.note(number, [x])
        return returned

    def _add(self, ending: set[int], func: Any, args: Any, kwargs: Any) -> Any:
        """Add, with the branches that end here multiplied by their factors."""
        scaled: dict[int, Tensor] = {}
        for x in tensors_of((*args, *kwargs.values())):
            number = self._branch_of(x)
            if number not in ending:
                continue
            if func.__name__.startswith("add_") and x is args[0]:
                whole = x._base if x._is_view() else x  # the rest of what it is a part of is the branch's as well
                whole.mul_(self.factors[number])
            else:
                scaled[id(x)] = x * self.factors[number]
        self._zeros = {key: entry for key, entry in self._zeros.items() if entry[1] not in ending}
        self.ended |= ending
        return func(*_replaced(args, scaled), **_replaced(kwargs, scaled))


def _results(returned: Any, args: Any) -> list[Tensor]:
    """The tensors that an operation returns, or the one that it writes into where it returns nothing."""
    return tensors_of(args[0] if returned is None and args else returned)


def _replaced(values: Any, stand_ins: Mapping[int, Tensor]) -> Any:
    """Arguments with other tensors, by identity of those that they replace."""
    if isinstance(values, Tensor):
        return stand_ins.get(id(values), values)
    if isinstance(values, dict):
        return {key: _replaced(value, stand_ins) for key, value in values.items()}
    return type(values)(_replaced(value, stand_ins) for value in values) if type(values) in (tuple, list) else values
