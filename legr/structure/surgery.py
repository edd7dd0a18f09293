"""Cut a network: model + Keep -> a new, smaller model with the model's own forward. The model is not changed."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import nn

from legr.errors import TraceError
from legr.structure.branches import emptied_branches, problem_with_layers
from legr.structure.caches import forget_properties
from legr.structure.carry import carry_over, resized
from legr.structure.model_io import deep_copy
from legr.structure.plans import Leaving
from legr.structure.types import Keep, Plan, Structure
from legr.structure.zeros import Zeros


def prune(model: nn.Module, structure: Structure, keep: Keep) -> nn.Module:
    """Return a smaller copy of `model` that has only the units that `keep` keeps.

    The copy runs the model's own forward, in the model's own mode and on its device. Its parameters keep memory
    layout, class, attributes and hooks of the model's; gradients are left behind.

    Args:
        model: the model that `structure` was traced from, or one of the same architecture.

    Raises:
        TraceError: `structure` or `keep` belongs to another model, or a gradient hook fits one size alone.
    """
    return cut(model, plan(model, structure, keep))


def cut(model: nn.Module, cuts: Plan) -> nn.Module:
    """Return a smaller copy of `model`, cut by a plan that is known to fit; see `prune`."""
    smaller_ones = smaller_tensors(model, cuts)
    memo: dict[int, Any] = {id(_tensor(model, name)): tensor for name, tensor in smaller_ones.items()}
    memo |= {id(module): zeros for module, zeros in _replacements(model, cuts)}
    smaller = deep_copy(model, memo)  # whatever refers to a parameter refers to the smaller one
    _put(smaller, smaller_ones)
    _drop(smaller, cuts)
    left = dict(_named_tensors(smaller))
    for name, old in _named_tensors(model):
        if name in left:
            carry_over(name, old, left[name], memo)
    _set_attributes(smaller, cuts)
    _forget_caches(smaller)
    return smaller


def _forget_caches(network: nn.Module) -> None:
    """Let modules drop what they derived from parameters of the old size: many do so when the mode changes."""
    forget_properties(network)
    modes = {module: module.training for module in network.modules()}
    was_training = network.training
    with suppress(Exception):  # a network may refuse to be trained
        network.train(not was_training)
        network.train(was_training)
    for module, training in modes.items():
        module.training = training


def plan(model: nn.Module, structure: Structure, keep: Keep) -> Plan:
    """What has to be sliced and changed so that only the units of `keep` are left."""
    if len(keep.units) != structure.n_units:
        raise TraceError(
            f"keep must cover the {structure.n_units} units of this structure, got {len(keep.units)}; "
            "use a Keep made for the same structure"
        )
    _require_same_network(model, structure)
    if problem := problem_with_layers(structure, keep):
        raise TraceError(problem)
    emptied = emptied_branches(structure, keep)
    removed = tuple(
        (x.module, -1 if x.dim is None else x.dim, int(keep.kept(x.labels).sum()), x.windows)
        for branch in emptied
        for x in branch.removed
    )
    dropped = tuple(name for branch in emptied for name in branch.dropped)
    leaving = Leaving(Plan((), (), (), removed, dropped))
    buffers = {gather.buffer for gather in structure.gathers}  # rewritten below, not sliced
    by_dim = sorted(structure.axes, key=lambda axis: axis.dim)  # slicing dim 1 is slow: first make dim 0 smaller
    slices = tuple(
        (axis.parameter, axis.dim, np.flatnonzero(kept).astype(np.int32))
        for axis in by_dim
        if not (kept := keep.kept(axis.labels)).all()
        and axis.parameter not in buffers
        and axis.parameter not in leaving
    )
    attributes = tuple(
        (a.module, a.name, a.place, int(keep.kept(a.labels).sum()) // a.divisor)
        for a in structure.attributes
        if a.module not in leaving
    )
    indexes = []
    for gather in (gather for gather in structure.gathers if gather.buffer not in leaving):
        index = _tensor(model, gather.buffer).cpu().numpy()
        inputs = keep.kept(gather.in_labels)
        position = np.concatenate(([0], np.where(inputs, np.cumsum(inputs), 0)))  # old entry -> new; 0 is blank
        axis = structure.axis_of.get((gather.buffer, 0))
        kept = keep.kept(axis.labels) if axis else np.ones(len(index), dtype=bool)
        indexes.append((gather.buffer, position[index[kept]].astype(np.int32)))
    return Plan(slices, attributes, tuple(indexes), removed, dropped)


def _require_same_network(model: nn.Module, structure: Structure) -> None:
    """Refuse a model whose axes are not those of the structure."""
    for axis in structure.axes:
        shape = _tensor(model, axis.parameter).shape
        if axis.dim >= len(shape) or shape[axis.dim] != len(axis.labels):
            raise TraceError(
                f"{axis.parameter} must have {len(axis.labels)} entries along dim {axis.dim}, and has shape "
                f"{tuple(shape)}; this model is not the one this structure was traced from"
            )


def apply_plan(model: nn.Module, plan: Plan) -> None:
    """Carry out a plan on `model`, in place. Modules that share a parameter share the smaller one.

    Raises:
        TraceError: it is a plan for another model, or damaged; the model may then be half changed: discard it.
    """
    try:
        _apply(model, plan)
    except TraceError:
        raise
    except Exception as error:  # a plan may be read from a file, changed by hand
        raise TraceError(f"this plan does not fit the model ({error}); use the model that it was made for") from error


def _apply(model: nn.Module, plan: Plan) -> None:
    smaller_ones = smaller_tensors(model, plan)
    for name, tensor in smaller_ones.items():
        carry_over(name, _tensor(model, name), tensor, None)
    _put(model, smaller_ones)
    for module, zeros in _replacements(model, plan):
        for parent in list(model.modules()):
            parent._modules.update({name: zeros for name, child in parent._modules.items() if child is module})
    _drop(model, plan)
    _set_attributes(model, plan)


def _replacements(model: nn.Module, plan: Plan) -> list[tuple[nn.Module, Zeros]]:
    """The modules that leave, and what stands in the place of each."""
    pairs = []
    for path, dim, channels, windows in plan.removed:
        try:
            module = model.get_submodule(path)
        except AttributeError as error:
            raise TraceError(f"the model has no {path}; it is not the one that was traced") from error
        if module is model:
            raise TraceError("a plan must leave the model itself in its place; make the plan anew")
        pairs.append((module, Zeros(dim, channels, windows).train(module.training)))
    return pairs


def _drop(model: nn.Module, plan: Plan) -> None:
    """Put the number 0 in the place of parameters that leave and that a forward still reads."""
    for name in plan.dropped:
        old = _tensor(model, name)
        path, _, attribute = name.rpartition(".")
        owner = model.get_submodule(path)
        delattr(owner, attribute)
        owner.register_buffer(attribute, old.detach().new_zeros(()), persistent=False)


def smaller_tensors(model: nn.Module, plan: Plan) -> dict[str, torch.Tensor]:
    """The parameters and buffers that a plan changes, as it leaves them; they share nothing with the model's."""
    values: dict[str, torch.Tensor] = {}
    for name, dim, positions in plan.slices:
        tensor = values.get(name, _tensor(model, name))
        if dim >= tensor.dim() or np.max(positions, initial=-1) >= tensor.shape[dim]:
            raise TraceError(f"{name} has fewer entries along dim {dim} than are to stay; make the plan anew")
        index = torch.from_numpy(np.asarray(positions, dtype=np.int64)).to(tensor.device)
        values[name] = tensor.detach().index_select(dim, index)
    for name, entries in plan.indexes:
        old = _tensor(model, name)
        if len(entries) > old.numel():
            raise TraceError(f"{name} has {old.numel()} entries and cannot get {len(entries)}; make the plan anew")
        values[name] = torch.from_numpy(np.asarray(entries)).to(old)
    return {name: resized(_tensor(model, name), tensor) for name, tensor in values.items()}


def _put(model: nn.Module, tensors: Mapping[str, torch.Tensor]) -> None:
    """Set parameters and buffers, in every module that has them."""
    references = _references(model)
    for name, tensor in tensors.items():
        old = _tensor(model, name)
        for module, attribute in references[id(old)] if old is not tensor else ():
            setattr(module, attribute, tensor)


def _set_attributes(model: nn.Module, plan: Plan) -> None:
    for path, attribute, place, value in plan.attributes:
        try:
            module = model.get_submodule(path)
            old = getattr(module, attribute)
            counted = old if place is None else old[place]
        except (AttributeError, IndexError, TypeError):
            counted = None
        if not isinstance(counted, Integral):
            raise TraceError(f"the model counts nothing in {attribute} of {path!r}; it is not the one that was traced")
        if place is None:
            setattr(module, attribute, value)
        else:
            entries = list(old)
            entries[place] = value
            setattr(module, attribute, tuple(entries))


def _references(model: nn.Module) -> dict[int, list[tuple[nn.Module, str]]]:
    """By identity of each parameter and buffer, the (module, attribute) pairs that refer to it."""
    references: dict[int, list[tuple[nn.Module, str]]] = {}
    for module in model.modules():
        for name, tensor in (*module._parameters.items(), *module._buffers.items()):
            if tensor is not None:
                references.setdefault(id(tensor), []).append((module, name))
    return references


def _named_tensors(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Parameters and buffers by name, each once."""
    yield from model.named_parameters()
    yield from model.named_buffers()


def _tensor(model: nn.Module, name: str) -> torch.Tensor:
    path, _, attribute = name.rpartition(".")
    try:
        tensor = getattr(model.get_submodule(path), attribute)
    except AttributeError as error:
        raise TraceError(f"the model has no {name}; it is not the one this structure was traced from") from error
    if not isinstance(tensor, torch.Tensor):
        raise TraceError(f"{name} is no tensor of the model; it is not the one this structure was traced from")
    return tensor
