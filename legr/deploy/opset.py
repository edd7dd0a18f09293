"""An ONNX graph in an older operator set: each node as the older set writes it, or the reason why it has no such form.

`onnx.version_converter` lacks most of the way down (it stops at a Mul), so what differs is read from the schemas: an
input that was an attribute becomes one again, and an attribute that was not there yet is left out where it says what
the operator did before. Nothing here is trusted: what is written is run beside the network.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, defs, helper, inliner, numpy_helper
from onnxscript import ir, version_converter

from legr.errors import ExportError

DEFAULT_FROM = 13  # quantization tools store one scale a channel from here on, and no runtime in use is older
_LAST_AXIS = -1
_OF_OLDER_PARTS = ("HardSwish",)  # where it is asked for: a runtime may be faster with the operator as one


def with_opset(model: ModelProto, opset: int | None) -> ModelProto:
    """The same graph in an operator set, with the lowest IR version that it allows.

    Args:
        model: its initializers are no inputs, and it has no functions.
        opset: None is the lowest that its operators allow, from `DEFAULT_FROM` on.

    Raises:
        ExportError: an operator of the graph cannot be written in that set.
    """
    current = opset_of(model)
    if opset is None:
        older = (_lowered(model, n) for n in range(DEFAULT_FROM, current))
        written = next((found for found in older if isinstance(found, ModelProto)), model)
    elif opset < current:
        written = _as_asked(model, opset)
    else:
        written = _raised(model, opset) if opset > current else model
    written.ir_version = helper.find_min_ir_version_for(written.opset_import)
    return written


def opset_of(model: ModelProto) -> int:
    """The version of ONNX's own operators that a model is written in."""
    return int(next(entry.version for entry in model.opset_import if not entry.domain))


def _raised(model: ModelProto, opset: int) -> ModelProto:
    graph = ir.from_proto(model)
    version_converter.convert_version(graph, target_version=opset)
    return ir.to_proto(graph)


def _as_asked(model: ModelProto, opset: int) -> ModelProto:
    """The graph in an older set, also where an operator has to be written as several.

    Raises:
        ExportError: see `with_opset`.
    """
    whole = _lowered(model, opset)
    if isinstance(whole, ModelProto):
        return whole
    parts = [("", name) for name in _OF_OLDER_PARTS if _first(name) > opset]
    in_parts = inliner.inline_selected_functions(model, parts, inline_schema_functions=True)
    written = _lowered(_with_slices_of_shapes(in_parts), opset)
    if isinstance(written, ModelProto):
        return written
    later = range(opset + 1, opset_of(model))
    lowest = next((n for n in later if not isinstance(_lowered(model, n), str)), opset_of(model))
    raise ExportError(f"this network cannot be written in opset {opset} ({written}); give --opset {lowest}, or more")


def _with_slices_of_shapes(model: ModelProto) -> ModelProto:
    """The graph in which a Shape gives all sizes, and a Slice takes some of them."""
    changed, nodes = ModelProto(), []
    changed.CopyFrom(model)
    for node in changed.graph.node:
        bounds = {attribute.name: attribute.i for attribute in node.attribute}
        nodes.append(node)
        if node.op_type != "Shape" or not bounds or node.domain:
            continue
        (sizes,) = node.output
        some = {"start": bounds.get("start", 0), "end": bounds.get("end", np.iinfo(np.int64).max)}
        names = [f"{sizes}.{name}" for name in some]
        changed.graph.initializer.extend(
            numpy_helper.from_array(np.array([value], np.int64), name)
            for name, value in zip(names, some.values(), strict=True)
        )
        nodes[-1] = helper.make_node("Shape", node.input, [f"{sizes}.all"], node.name)
        nodes.append(helper.make_node("Slice", [f"{sizes}.all", *names], [sizes], f"{sizes}.some"))
    copies = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del changed.graph.node[:]
    changed.graph.node.extend(copies)
    return changed


def _lowered(model: ModelProto, opset: int) -> ModelProto | str:
    """The graph in an older set, or why it cannot be written in it, in a few words."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    try:
        nodes = [_older(node, opset_of(model), opset, constants) for node in model.graph.node]
    except _NoOlderForm as why:
        return str(why)
    lowered = ModelProto()
    lowered.CopyFrom(model)
    del lowered.graph.node[:]
    lowered.graph.node.extend(nodes)
    read = {name for node in nodes for name in node.input} | {output.name for output in lowered.graph.output}
    kept = [tensor for tensor in lowered.graph.initializer if tensor.name in read]
    del lowered.graph.initializer[:]
    lowered.graph.initializer.extend(kept)
    next(entry for entry in lowered.opset_import if not entry.domain).version = opset
    try:
        onnx.checker.check_model(lowered, full_check=True)  # types that an operator did not take yet, for one
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return str(error).splitlines()[0]
    return lowered


class _NoOlderForm(Exception):
    """Says in a few words what of a node the older set lacks."""


def _older(node: NodeProto, current: int, opset: int, constants: Mapping[str, TensorProto]) -> NodeProto:
    """A node as an older set writes it.

    Raises:
        _NoOlderForm: that set lacks the operator, or something that the node asks of it.
    """
    if node.domain:
        return node
    new = defs.get_schema(node.op_type, current)
    try:
        old = defs.get_schema(node.op_type, opset)
    except defs.SchemaError:
        raise _NoOlderForm(f"{node.op_type} came with opset {_first(node.op_type)}") from None
    if old.since_version == new.since_version:
        return node
    older = NodeProto()
    older.CopyFrom(node)
    _lower_attributes(older, new, old, constants)
    names = [parameter.name for parameter in new.inputs]
    while len(older.input) > len(old.inputs) and not _is_variadic(old):
        name, value = names[len(older.input) - 1], older.input.pop()
        if not value:
            continue
        if name not in old.attributes or value not in constants:
            raise _NoOlderForm(f"{node.op_type} takes its {name} from opset {new.since_version} on")
        older.attribute.append(helper.make_attribute(name, numpy_helper.to_array(constants[value]).tolist()))
    return older


def _lower_attributes(
    node: NodeProto, new: defs.OpSchema, old: defs.OpSchema, constants: Mapping[str, TensorProto]
) -> None:
    """Leave out what was not there yet, and write out what had another default."""
    for attribute in list(node.attribute):
        if attribute.name not in old.attributes:
            usual = _value(attribute) == _value(new.attributes[attribute.name].default_value)
            if not usual and not _says_nothing(node, attribute.name, constants):
                raise _NoOlderForm(f"{node.op_type} has {attribute.name} from opset {new.since_version} on")
            node.attribute.remove(attribute)
    given = {attribute.name: _value(attribute) for attribute in node.attribute}
    for name in new.attributes.keys() & old.attributes.keys():
        default = _value(new.attributes[name].default_value)
        if default == _value(old.attributes[name].default_value):
            continue
        # Softmax and its like: before, all axes from this one on were one. For the last axis that is the same.
        if given.get(name, default) != _LAST_AXIS:
            raise _NoOlderForm(f"{node.op_type} means its {name} otherwise before opset {new.since_version}")
        if name not in given:
            node.attribute.append(helper.make_attribute(name, default))


def _says_nothing(node: NodeProto, attribute: str, constants: Mapping[str, TensorProto]) -> bool:
    """Whether an attribute that is not at its default changes nothing all the same."""
    if (node.op_type, attribute) == ("Split", "num_outputs"):  # without sizes it makes as many parts as it has outputs
        return True
    if (node.op_type, attribute) == ("Reshape", "allowzero"):  # what a 0 in the shape would mean
        return node.input[1] in constants and bool(numpy_helper.to_array(constants[node.input[1]]).all())
    return False


def _value(attribute: onnx.AttributeProto) -> object:
    return helper.get_attribute_value(attribute) if attribute.type else None


def _is_variadic(schema: defs.OpSchema) -> bool:
    return any(entry.option == defs.OpSchema.FormalParameterOption.Variadic for entry in schema.inputs)


def _first(operator: str) -> int:
    """The set that an operator came with."""
    versions: Iterable[int] = (
        schema.since_version
        for schema in defs.get_all_schemas_with_history()
        if schema.name == operator and not schema.domain
    )
    return min(versions)
