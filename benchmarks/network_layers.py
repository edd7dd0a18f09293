"""The layers that a profile times, of every architecture: `python -m benchmarks.network_layers [NAME[@SIZE] …]`.

Every model runs in a process of its own, on one thread. A row says how many layers its graph is taken apart into, how
many kinds of them there are, how many convolutions the graph has and how many of them the layers have; how many sizes
of a pruned network the layers predict otherwise than its graph says; how many layers ONNX Runtime does not run alone,
at the most and the fewest channels; how many convolutions are left without any block, and how many the layers say; and
whether a table of them is finite and is read again as it was stored. Ends with 1 if something is wrong.
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import reduce

import numpy as np
import onnx
import torch

import legr
from benchmarks.architectures import ALL, Row, Survey, build, shape_of
from legr.deploy.graph_layers import GraphLayer, shapes_of
from legr.deploy.layer_table import NetworkLayers
from legr.deploy.network_layers import graph_of_sizes, network_layers
from legr.deploy.numbers import integers_of
from legr.deploy.onnx_session import new_session
from legr.deploy.template import make_template
from legr.structure.branches import without
from legr.structure.copies import at_least_one
from legr.structure.cost import counts_of
from legr.structure.latency import Counts, LatencyTable
from legr.structure.types import Keep, Structure
from legr.study.device_profile import DeviceProfile, stored
from legr.study.latency import Conditions

_QUANTUM = 8
_BUDGET = 0.4  # of the pruned network's MACs
_RANDOM = 16  # kept sets whose features are looked at


def measure(name: str) -> Row:
    """Take one architecture apart, in this process."""
    torch.set_num_threads(1)
    name, shape = shape_of(name)
    model = build(name).eval()
    structure = legr.trace(model, torch.zeros(1, *shape))
    template = make_template(model, structure, shape)
    began = time.perf_counter()
    layers, opsets = network_layers(model, structure, template, batch=1)
    seconds = time.perf_counter() - began
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    whole, pruned = Keep(np.ones(structure.n_units, dtype=bool)), curve.at(macs=max(_BUDGET, curve.floor))
    emptied = without(whole, structure.branches)
    graphs = [graph_of_sizes(model, structure, template, keep, 1) for keep in (whole, pruned, emptied)]
    operations, _, left = (_operations(graph.graph.node) for graph in graphs)
    told = _operations([node for x in layers.placed for node in x.layer.nodes])
    return {
        "model": name,
        "input": "x".join(map(str, shape)),
        "layers": len(layers.placed),
        "kinds": len(layers.distinct),
        "convolutions": _convolutions_that_run(model, shape),
        "found": told["Conv"] + told["ConvTranspose"],
        "same_operations": operations == told,
        "wrong_sizes": _wrong_sizes(layers, counts_of(structure, pruned), graphs[1]),
        "refused": _refused(layers, opsets),
        "left": left["Conv"],
        "left_found": _convolutions_left(layers, counts_of(structure, emptied)),
        "finite": _is_finite(layers, structure, [pruned, emptied]),
        "seconds": seconds,
    }


def _operations(nodes: Sequence[onnx.NodeProto]) -> Counter[str]:
    return Counter(node.op_type for node in nodes)


def _convolutions_that_run(model: torch.nn.Module, shape: tuple[int, int, int]) -> int:
    """Calls of convolutions in a forward pass, as PyTorch counts them."""
    calls: list[object] = []
    hooks = [
        module.register_forward_hook(lambda *_: calls.append(_))
        for module in model.modules()
        if isinstance(module, torch.nn.modules.conv._ConvNd)
    ]
    with torch.inference_mode():
        model(torch.zeros(1, *shape))
    for hook in hooks:
        hook.remove()
    return len(calls)


def _wrong_sizes(layers: NetworkLayers[GraphLayer], counts: Counts, graph: onnx.ModelProto) -> list[str]:
    """Numbers of layers that the graph of a pruned network has otherwise.

    Left out are layers in which more than two sizes vary: all of them follow the largest there.
    """
    shapes, integers, wrong = shapes_of(graph), integers_of(graph), []
    for layer in (placed.layer for placed in layers.placed):
        channels = [round(float(size.at(counts)[0])) for size in layer.sizes]
        tensors = (*layer.inputs, *layer.weights)
        numbers = [(f, n) for t in tensors for f, n in zip(t.shape, shapes[t.name], strict=True)]
        numbers += [(f, integers[place]) for place, f in layer.numbers]
        if len({n / f.whole for f, n in numbers if f.size is not None}) <= 2:
            wrong += [f"{layer.nodes[0].output[0]}: {n}" for f, n in numbers if f.at(layer.sizes, channels) != n]
    return wrong


def _refused(layers: NetworkLayers[GraphLayer], opsets: Sequence[onnx.OperatorSetIdProto]) -> list[str]:
    """What ONNX Runtime says of layers that it does not run alone, or whose results are not finite."""
    refused = []
    for layer in layers.distinct.values():
        points = [of_one.channels for of_one in layer.points(_QUANTUM)]
        for place in (-1, 0):
            channels = [int(axis[place]) for axis in points]
            about = f"{'+'.join(node.op_type for node in layer.nodes)} {layer.nodes[0].output[0]} at {channels}"
            try:
                session = new_session(layer.alone(channels, opsets), threads=1)
                inputs = {n: np.ones(s, dtype=np.float32) for n, s in layer.input_shapes(channels).items()}
                if not all(np.isfinite(x).all() for x in session.run(None, inputs)):
                    refused.append(f"{about}: not finite")
            except Exception as error:  # ONNX Runtime's are of many kinds
                refused.append(f"{about}: {str(error).splitlines()[0][:200]}")
    return refused


def _convolutions_left(layers: NetworkLayers[GraphLayer], counts: Counts) -> int:
    """Convolutions of the layers that have not left with their block."""
    left = [placed.layer for placed in layers.placed if (counts[list(placed.inside)] > 0).all()]
    return sum(node.op_type == "Conv" for layer in left for node in layer.nodes)


def _table(layers: NetworkLayers[GraphLayer]) -> LatencyTable:
    """A table in which a layer takes a millisecond, and one more for each hundred of its channels."""
    times = {}
    for key, layer in layers.distinct.items():
        axes = [of_one.channels / 100 for of_one in layer.points(_QUANTUM)]
        times[key] = np.asarray(reduce(np.add.outer, axes, np.array(1.0)))
    return layers.table(times, _QUANTUM)


def _is_finite(layers: NetworkLayers[GraphLayer], structure: Structure, keeps: Sequence[Keep]) -> bool:
    """Whether what a stored table says of many kept sets is finite, positive and what the table says."""
    table, rng = _table(layers), np.random.default_rng(0)
    drawn = [Keep(at_least_one(structure, rng.random(structure.n_units) < share)) for share in rng.random(_RANDOM)]
    counts = counts_of(structure, *keeps, *drawn)
    features = np.array(table.features(counts))
    profile = stored(
        "a", Conditions("x", "cpu", 1, 1), structure, table, networks=(), multiples=(), seconds=1.0, contended=False
    )
    again = DeviceProfile.from_dict(profile.to_dict()).table(structure)
    same = np.array_equal(features, np.array(again.features(counts)))
    return bool(np.isfinite(features).all() and (features[:2] > 0).all() and (features[2] >= 0).all() and same)


def _line(row: Row) -> str:
    return (
        f"{row['model']:<40}{row['layers']:>5} layers of{row['kinds']:>4} kinds,{row['found']:>4} of"
        f"{row['convolutions']:>4} convolutions,{len(row['wrong_sizes']):>3} wrong sizes,"
        f"{len(row['refused']):>3} refused, without blocks{row['left_found']:>4} of{row['left']:>4}, "
        f"{'finite' if row['finite'] else 'NOT FINITE'},{row['seconds']:>5.1f} s"
    )


def _is_right(row: Row) -> bool:
    return bool(
        row["found"] == row["convolutions"]
        and row["left_found"] == row["left"]
        and row["same_operations"]
        and row["finite"]
        and not row["wrong_sizes"]
        and not row["refused"]
    )


SURVEY = Survey("benchmarks.network_layers", __doc__, ALL, measure, _line, _is_right)

if __name__ == "__main__":
    sys.exit(SURVEY.run())
