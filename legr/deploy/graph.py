"""A network as an ONNX graph: operations, to which weights are given afterwards, by the names that the module has.

Values of weights are unknown while operations are simplified, and none is folded by its size: which operations are
left depends on the architecture alone, so a pruned network has exactly those of its original.
"""

import copy
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx_ir.passes.common import ClearMetadataAndDocStringPass, LiftConstantsToInitializersPass
from onnxscript import optimizer, rewriter
from onnxscript.rewriter.rules.common import (
    fuse_batchnorm_into_conv_rule,
    fuse_batchnorm_into_conv_transpose_rule,
    fuse_batchnorm_into_gemm_rule,
)
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from legr.deploy.emptied import without_branches
from legr.errors import ExportError
from legr.structure.model_io import tensors_by_name
from legr.structure.zeros import MARKER, Zeros

INPUT, OUTPUT = "images", "logits"
BATCH = "batch"  # name of the first dimension of both
WRITTEN_IN = 18  # the exporter's own operators; a later opset has others (Gelu), which no older one can say
Arrays = Mapping[str, NDArray[np.generic]]
_BATCH_NORMS = (
    fuse_batchnorm_into_conv_rule,
    fuse_batchnorm_into_conv_transpose_rule,
    fuse_batchnorm_into_gemm_rule,
)
_SHARED = 1024  # elements of a constant; of smaller ones each operation has its own
ANY_SIZE = 2**62  # elements: what is folded must not depend on how much of the network was pruned
_TALKATIVE = ("torch.onnx", "onnxscript", "onnx_ir")


def graph_of(model: nn.Module, input_shape: tuple[int, int, int]) -> onnx.ModelProto:
    """The graph of `model` in evaluation mode, with its weights and a dynamic batch; batch norms are as they are.

    Raises:
        ExportError: the model uses an operation that ONNX cannot express.
    """
    network = as_exported(model)
    return with_weights(operations_of(network, input_shape), arrays_of(network))


def operations_of(model: nn.Module, input_shape: tuple[int, int, int]) -> onnx.ModelProto:
    """The graph without weights: parameters and buffers are further inputs, under their names in the module.

    The same architecture gives the same bytes.

    Raises:
        ExportError: the model uses an operation that ONNX cannot express.
    """
    network = as_exported(model)
    markers = _mark_zeros(network)
    example = torch.zeros(2, *input_shape)  # a batch of 1 would be taken for a constant
    try:
        with warnings.catch_warnings(), _quiet(), _PooledByMean():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                network,
                (example,),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim(BATCH)},),
                opset_version=WRITTEN_IN,
                verbose=False,
                optimize=False,
            )
            assert program is not None
            graph = _simplified(program.model, {name for name, _ in tensors_by_name(network)})
    except Exception as error:
        raise ExportError(f"this network cannot be written as ONNX: {_reason(error)}") from error
    _separate_constants(graph)
    return without_branches(graph, markers, INPUT) if markers else graph


def _mark_zeros(network: nn.Module) -> list[str]:
    """Mark, in place, what stands for layers that have left; return the names of the marks."""
    paths = [path for path, module in network.named_modules() if isinstance(module, Zeros)]
    for path in paths:
        network.get_submodule(path).register_buffer(MARKER, torch.zeros(()), persistent=False)
    return [f"{path}.{MARKER}" for path in paths]


def _reason(error: BaseException) -> str:
    """What an exporter means: its own error tells its developers what to do next, the first of its causes why."""
    while error.__cause__ is not None:
        error = error.__cause__
    lacking = re.match(r"No ONNX function found for <OpOverload\(op='([\w.]+)'", str(error))
    return (
        f"ONNX has no operation for {lacking[1]}" if lacking else (str(error).splitlines() or [type(error).__name__])[0]
    )


def with_weights(operations: onnx.ModelProto, weights: Arrays) -> onnx.ModelProto:
    """A graph that has its weights in it.

    Args:
        weights: values of the further inputs, and any others.
    """
    graph = onnx.ModelProto()
    graph.CopyFrom(operations)
    names = [value.name for value in graph.graph.input if value.name != INPUT]
    images = next(value for value in operations.graph.input if value.name == INPUT)
    del graph.graph.input[:]
    graph.graph.input.append(images)
    graph.graph.initializer.extend(numpy_helper.from_array(np.asarray(weights[name]), name) for name in names)
    return graph


def finished(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The graph for runtimes that leave it as it is: batch norms folded, what weights alone decide computed."""
    model = ir.from_proto(graph)
    with _quiet():
        optimizer.fold_constants(
            model, onnx_shape_inference=False, input_size_limit=ANY_SIZE, output_size_limit=ANY_SIZE
        )
        LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
        model = rewriter.rewrite(model, _BATCH_NORMS)
    return _without_notes(model)


def arrays_of(model: nn.Module, changed: Mapping[str, Tensor] | None = None) -> dict[str, NDArray[np.generic]]:
    """Parameters and buffers by all their names, in float32 where they are real numbers.

    Args:
        changed: what stands in the place of some of them, whatever other names these have.
    """
    tensors = dict(tensors_by_name(model))
    others = {id(tensors[name]): tensor for name, tensor in (changed or {}).items()}
    return {name: _as_array(others.get(id(tensor), tensor)) for name, tensor in tensors.items()}


def _as_array(tensor: Tensor) -> NDArray[np.generic]:
    values = tensor.detach().cpu().contiguous()
    return (values.float() if values.is_floating_point() else values).numpy()


def as_exported(model: nn.Module) -> nn.Module:
    """A copy whose weights lie in memory as in a file: the graph of another layout has other operations."""
    return copy.deepcopy(model).cpu().float().eval().to(memory_format=torch.contiguous_format)


def _simplified(model: ir.Model, weights: set[str]) -> onnx.ModelProto:
    """Simplify what the exporter wrote, weights being inputs whose values nobody knows."""
    graph = model.graph
    values = [graph.initializers.pop(name) for name in sorted(weights & graph.initializers.keys())]
    for value in values:
        value.const_value = None
        graph.inputs.append(value)
    optimizer.optimize(model)
    for value in values:
        if not value.uses():
            graph.inputs.remove(value)
    return _without_notes(model)


def _without_notes(model: ir.Model) -> onnx.ModelProto:
    """The graph without what its makers note in it: stack traces with paths, names of modules and rules, shapes."""
    ClearMetadataAndDocStringPass()(model)
    for value in (*model.graph.inputs, *model.graph.outputs, *model.graph.initializers.values()):
        value.metadata_props.clear()
    model.metadata_props.clear()
    proto = ir.to_proto(model)
    del proto.graph.value_info[:]
    return proto


def _separate_constants(model: onnx.ModelProto) -> None:
    """Give each operation constants of its own: two that are alike in one network may differ in a smaller one."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    own: dict[str, onnx.TensorProto] = {}
    renamed: dict[str, str] = {}
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            tensor = constants.get(name)
            if tensor is None:
                continue
            if int(np.prod(tensor.dims)) > _SHARED and name in renamed:
                node.input[place] = renamed[name]
                continue
            node.input[place] = renamed[name] = f"{node.output[0]}.{place}"
            own[renamed[name]] = numpy_helper.from_array(numpy_helper.to_array(tensor), renamed[name])
    within = {name for node in model.graph.node for name in _read_within(node)}
    kept = [tensor for name, tensor in constants.items() if name in within | {o.name for o in model.graph.output}]
    del model.graph.initializer[:]
    model.graph.initializer.extend((*kept, *own.values()))


def _read_within(node: onnx.NodeProto) -> Iterator[str]:
    """What the branches of a node read, whoever wrote it."""
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                yield from inner.input
                yield from _read_within(inner)


class _PooledByMean(TorchFunctionMode):
    """Writes global pooling as a mean: how PyTorch writes it depends on the layout of activations in memory."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.adaptive_avg_pool2d:
            given = {**dict(zip(("input", "output_size"), args, strict=False)), **(kwargs or {})}
            if given["output_size"] in (1, (1, 1), [1, 1]):
                return given["input"].mean((-2, -1), keepdim=True)
        return func(*args, **(kwargs or {}))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence loggers for a while: exporters log a lot about packages that they do not need."""
    with ExitStack() as stack:
        for name in _TALKATIVE:
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL)
        yield
