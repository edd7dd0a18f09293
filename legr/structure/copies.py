"""Copies of a network to experiment on: with random values that hide nothing, with channels zeroed for a while."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from legr.structure.branches import emptied_branches
from legr.structure.caches import forget_properties
from legr.structure.draws import draw_alike, without_dropout
from legr.structure.operations import Call, base_name
from legr.structure.precision import in_precision
from legr.structure.tracing.nodes import lay_along
from legr.structure.types import BoolArray, Keep, Structure

#: Norms that may be exempt, with the arguments of the functions of their name.
_NORMS = {
    "layer_norm": ("input", "normalized_shape", "weight", "bias"),
    "rms_norm": ("input", "normalized_shape", "weight"),
    "group_norm": ("input", "num_groups", "weight", "bias"),
}
_FEW = 1000  # elements, of a parameter's, that mostly differ
DROPOUTS = ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")


def stand_in(network: nn.Module, dtype: torch.dtype, generator: torch.Generator) -> nn.Module:
    """Turn a private copy of a model, in place, into a network to run and cut in its place.

    It is on the CPU and in evaluation mode, has forgotten what it had derived from its parameters for this mode, and
    has random values where those of a fresh model, all zero or all one, could hide that something is wrong.
    """
    with suppress(Exception):  # a network may refuse to be trained
        network.train()
    forget_properties(network)
    network = in_precision(network.cpu().eval(), dtype)
    _randomise(network, generator)
    return network


def _randomise(network: nn.Module, generator: torch.Generator) -> None:
    """Randomise the parameters and statistics of norms, and every parameter whose values are all the same."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._NormBase):
                for tensor, low, high in (
                    (module.weight, 0.5, 1.5),
                    (module.bias, -0.5, 0.5),
                    (module.running_mean, -0.2, 0.2),
                    (module.running_var, 0.5, 1.5),
                ):
                    if tensor is not None:
                        tensor.uniform_(low, high, generator=generator)
        for parameter in (p for p in network.parameters() if p.is_floating_point() or p.is_complex()):
            parts = torch.view_as_real(parameter) if parameter.is_complex() else parameter
            if parameter.numel() > 1 and _are_all_the_same(parameter):
                mean = parts.flatten()[0].item()
                parts.uniform_(mean - 0.5, mean + 0.5, generator=generator)


def _are_all_the_same(values: Tensor) -> bool:
    """Whether every element has the value of the first; a few are looked at before all are."""
    values = values.flatten()
    return not any(bool(some.ne(values[0]).any()) for some in (values[1:_FEW], values[_FEW:]))


def at_least_one(structure: Structure, units: BoolArray) -> BoolArray:
    """Put units back until no axis is left empty: a layer with 0 channels does not run."""
    units = units.copy()
    for labels in structure.vectors:
        if not Keep(units).kept(labels).any():
            units[labels[0] - 1] = True
    return units


@contextmanager
def zeroed(network: nn.Module, structure: Structure, keep: Keep) -> Iterator[nn.Module]:
    """Zero, in place and for a while, every parameter slice that pruning would remove.

    Of a branch that is emptied these are all its parameters, so what stands behind its last layer adds nothing either.
    Buffers stay as they are, except for the indexes of `GatherChannels`, where 0 is the blank channel.
    """
    targets: dict[str, Tensor] = dict(network.named_parameters())
    targets.update((gather.buffer, network.get_buffer(gather.buffer)) for gather in structure.gathers)
    originals, saved = dict(targets), dict[str, Tensor]()
    with torch.no_grad():
        for name in (name for branch in emptied_branches(structure, keep) for name in branch.parameters):
            saved[name] = targets[name].clone()
            targets.pop(name).zero_()
        for axis in structure.axes:
            kept = keep.kept(axis.labels)
            if axis.parameter in targets and not kept.all():
                target = targets[axis.parameter]
                if axis.parameter not in saved:
                    saved[axis.parameter] = target.clone()  # a whole copy: faster than gathering
                mask = torch.from_numpy(kept).to(target.dtype)
                target.mul_(lay_along(mask, axis.dim, target.dim()))
        try:
            yield network
        finally:
            while saved:
                name, values = saved.popitem()
                originals[name].copy_(values)


class Running:
    """Follows which module of a network runs, while it is entered."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._paths = [""]
        self._handles: list[Any] = []

    @property
    def path(self) -> str:
        """Path of the innermost module that runs."""
        return self._paths[-1]

    def __enter__(self) -> "Running":
        for name, module in self._network.named_modules():
            self._handles.append(module.register_forward_pre_hook(self._entering(name)))
            self._handles.append(module.register_forward_hook(self._leaving))
        return self

    def _entering(self, name: str) -> Any:
        def enter(module: nn.Module, args: Any) -> None:
            self._paths.append(name)

        return enter

    def _leaving(self, module: nn.Module, args: Any, output: Any) -> None:
        self._paths.pop()

    def __exit__(self, *error: Any) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()


class _WithoutStatistics:
    """What both modes that leave out the statistics of exempt norms share: they follow which module runs."""

    def __init__(self, network: nn.Module, exempt: Collection[str]) -> None:
        super().__init__()
        self._network, self._exempt, self._running = network, exempt, Running(network)

    def __enter__(self) -> Any:
        self._running.__enter__()
        return super().__enter__()  # type: ignore[misc]

    def __exit__(self, *error: Any) -> None:
        self._running.__exit__(*error)
        super().__exit__(*error)  # type: ignore[misc]


class WithoutStatistics(_WithoutStatistics, TorchDispatchMode):
    """Run exempt norms as their affine part alone, no dropout, and draw numbers alike; needs inference mode.

    The statistics of a norm over channels are those of the channels that are there. A zeroed channel still counts
    in them and a removed one does not, so this is the one thing in which zeroed and removed may differ.

    Args:
        exempt: paths of the modules that run such norms.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        exempt = self._running.path in self._exempt
        return run_comparably(func, args, kwargs, exempt=exempt, training=self._network.training)


class LearningWithoutStatistics(_WithoutStatistics, TorchFunctionMode):
    """Run exempt norms as their affine part alone where gradients are computed; see `WithoutStatistics`.

    It is for norms that Python calls, which have to be replaced before autograd sees them.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name not in _NORMS or self._running.path not in self._exempt:
            return func(*args, **(kwargs or {}))
        given = dict(zip(_NORMS[name], args, strict=False)) | (kwargs or {})
        usual: Tensor = func(*args, **(kwargs or {}))
        if given.get("num_groups", 1) != 1:
            return usual
        affine = _affine_part({key: given.get(key) for key in ("input", "weight", "bias")}, name)
        return torch.empty_like(usual.detach()).copy_(affine)


def run_comparably(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, exempt: bool = False, training: bool = False
) -> Any:
    """Run an operation so that zeroed and pruned networks can be compared.

    A dropout returns its input, an exempt norm its affine part, and what a training forward draws is the same number
    for every channel.
    """
    call = Call(func, args, kwargs, None)
    name = base_name(func)
    if name in DROPOUTS:
        x = call.inputs[0]
        return x if func._schema.is_mutable else x.clone()
    if exempt and name in _NORMS and (call["num_groups"] or 1) == 1:
        usual: Tensor = func(*args, **kwargs)  # it checks the sizes, and has the strides and dtype that a forward sees
        return torch.empty_like(usual).copy_(_affine_part(call, name))
    if not training:
        return func(*args, **kwargs)
    drawn = draw_alike(call)
    if drawn is None:
        args, kwargs = without_dropout(call)
    return func(*args, **kwargs) if drawn is None else drawn


def _affine_part(call: Call | Mapping[str, Any], name: str) -> Tensor:
    x: Tensor = call["input"]
    weight, bias = call["weight"], call["bias"]
    if name == "group_norm":
        shape = [-1] + [1] * (x.dim() - 2)
        weight, bias = (None if t is None else t.view(shape) for t in (weight, bias))
    x = x if weight is None else x * weight
    return x if bias is None else x + bias
