"""One graph for all budgets: the original is exported once, and a budget's network is that graph with smaller weights.

Its operations are the original's by construction. A session of it is made in milliseconds, where to export the pruned
network takes seconds.
"""

from dataclasses import dataclass
from itertools import islice

import onnx
from torch import nn

from legr.deploy.emptied import without_branches
from legr.deploy.graph import INPUT, Arrays, arrays_of, operations_of, with_weights
from legr.deploy.numbers import Number, TemplateError, numbers_of, set_integers, telling_kept_sets
from legr.structure.surgery import plan, prune, smaller_tensors
from legr.structure.types import Branch, Keep, Structure

_MOST_EXPORTS = 3  # of pruned networks; one is mostly enough


@dataclass(frozen=True, slots=True)
class Template:
    """A graph whose weights are inputs, the numbers in it that follow the kept set, and the blocks that may leave."""

    operations: onnx.ModelProto
    numbers: tuple[Number, ...]
    branches: tuple[Branch, ...] = ()


def make_template(model: nn.Module, structure: Structure, input_shape: tuple[int, int, int]) -> Template:
    """Export a network and one or two that are pruned at random, and compare.

    Raises:
        ExportError: the model uses an operation that ONNX cannot express.
        TemplateError: its graph follows the kept set in a way that is not understood.
    """
    whole = operations_of(model, input_shape)
    pruned: list[tuple[Keep, onnx.ModelProto]] = []
    for keep in islice(telling_kept_sets(structure), _MOST_EXPORTS if structure.n_units else 0):
        pruned.append((keep, operations_of(prune(model, structure, keep), input_shape)))
        numbers, certain = numbers_of(structure, whole, pruned)
        if certain:
            break
    else:
        if structure.n_units:
            raise TemplateError("numbers of this network's graph could follow several layers")
        numbers = ()
    template = Template(whole, numbers, structure.branches)
    for keep, expected in pruned:
        _require_same(template, keep, expected)
    return template


def fill(template: Template, keep: Keep, weights: Arrays) -> onnx.ModelProto:
    """The graph of a pruned network.

    Args:
        keep: its kept set.
        weights: its parameters and buffers by name: `arrays_of` it, or `arrays_at` of the original.
    """
    return with_weights(operations_at(template, keep), weights)


def arrays_at(model: nn.Module, structure: Structure, keep: Keep) -> Arrays:
    """Parameters and buffers of the pruned network by all their names, sliced from the original's by the plan."""
    return arrays_of(model, smaller_tensors(model, plan(model, structure, keep)))


def operations_at(template: Template, keep: Keep) -> onnx.ModelProto:
    """The graph of a pruned network without its weights: they are inputs, as in `operations_of`."""
    graph = onnx.ModelProto()
    graph.CopyFrom(template.operations)
    set_integers(graph, {number.place: number.at(keep) for number in template.numbers})
    emptied = [branch for branch in template.branches if not keep.units[branch.units].any()]
    gone = [name for branch in emptied for name in branch.parameters]
    return without_branches(graph, gone, INPUT) if gone else graph


def _require_same(template: Template, keep: Keep, expected: onnx.ModelProto) -> None:
    graph = operations_at(template, keep)
    del graph.graph.input[:]
    graph.graph.input.extend(expected.graph.input)  # all else that differs are shapes of weights
    if graph != expected:
        raise TemplateError("the graph of a smaller network is not that of the original")
