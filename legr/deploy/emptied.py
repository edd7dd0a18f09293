"""Take blocks that have left out of an ONNX graph: nothing of their layers remains, nor of the additions of nothing.

A graph of the original and one that was exported without the blocks end up with the same bytes.
"""

from collections.abc import Collection

import onnx

from legr.errors import ExportError

_SAME_AGAIN = ("Relu",)  # operations that change nothing when they are repeated, as in front of and behind a block


def without_branches(graph: onnx.ModelProto, gone: Collection[str], image: str) -> onnx.ModelProto:
    """The graph without what is computed from inputs that are gone.

    Where it is added to something, that alone is left. What is left is named anew, by its order.

    Args:
        graph: operations whose weights are inputs; each has constants of its own.
        gone: inputs of the graph.
        image: name of the input that is no weight.

    Raises:
        ExportError: what is gone is needed, as the graph does something else with it than to add it.
    """
    left = onnx.ModelProto()
    left.CopyFrom(graph)
    nodes = _nodes_left(left, set(gone), image)
    del left.graph.node[:]
    left.graph.node.extend(nodes)
    _drop_unused(left)
    _name_anew(left)
    return left


def _nodes_left(model: onnx.ModelProto, gone: set[str], image: str) -> list[onnx.NodeProto]:
    alive, instead, producer = {image}, dict[str, str](), dict[str, str]()
    nodes = []
    for node in model.graph.node:
        inputs = [instead.get(name, name) for name in node.input]
        if not gone.isdisjoint(inputs):
            others = [name for name in inputs if name not in gone and name in alive]
            if node.op_type == "Add" and others:
                instead[node.output[0]] = others[0]
            else:
                gone.update(node.output)
            continue
        if node.op_type in _SAME_AGAIN and inputs != list(node.input) and producer.get(inputs[0]) == node.op_type:
            instead[node.output[0]] = inputs[0]
            continue
        node.input[:] = inputs
        nodes.append(node)
        producer.update((name, node.op_type) for name in node.output)
        if not alive.isdisjoint(inputs):
            alive.update(node.output)
    for output in model.graph.output:
        if output.name in gone or output.name in instead:
            raise ExportError(f"a block cannot be taken out of this graph, as {output.name} is computed from it alone")
    return nodes


def _drop_unused(model: onnx.ModelProto) -> None:
    """Drop what no output is computed from."""
    graph = model.graph
    used = {output.name for output in graph.output}
    nodes = []
    for node in reversed(graph.node):
        if not used.isdisjoint(node.output):
            nodes.append(node)
            used.update(node.input)
    del graph.node[:]
    graph.node.extend(reversed(nodes))
    for kept in (graph.initializer, graph.input):
        items = [item for item in kept if item.name in used]
        del kept[:]
        kept.extend(items)


def _name_anew(model: onnx.ModelProto) -> None:
    """Name what operations return by their numbers, and constants by the operation that reads them."""
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    outputs = {output.name for output in graph.output}
    renamed: dict[str, str] = {}
    for number, node in enumerate(graph.node):
        for place, name in enumerate(node.output):
            renamed[name] = name if not name or name in outputs else f"v{number}.{place}"
        own = node.output[0] if node.output[0] in outputs else f"v{number}"
        for place, name in enumerate(node.input):
            if name in constants:
                renamed.setdefault(name, f"{own}.in{place}")
        node.name = own
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed[name] for name in node.output]
    tensors = [tensor for name in renamed if (tensor := constants.get(name)) is not None]
    for tensor in tensors:
        tensor.name = renamed[tensor.name]
    del graph.initializer[:]
    graph.initializer.extend(tensors)
