"""Templates of this machine, kept in its cache: a second use of a network costs no export.

What is kept holds no weights. It is looked at before a library opens it, and then has to compute what the network does:
a forward that was changed since, under the same names, is found out as a damaged file is.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
import torch
from onnx import helper
from pydantic import Field
from torch import nn

from legr.deploy.graph import WRITTEN_IN, arrays_of, as_exported
from legr.deploy.numbers import Number, Place, TemplateError, integers_of, vectors_of
from legr.deploy.onnx_session import answers, new_session
from legr.deploy.template import Template, fill, make_template
from legr.errors import ExportError
from legr.files import write_bytes
from legr.paths import cache_folder
from legr.record import Record
from legr.schema import MEGABYTE, Count, Name, SchemaError, parse, read_bytes
from legr.structure.codec import to_dict
from legr.structure.types import Keep, Structure

logger = logging.getLogger(__name__)

FORMAT = 1  # of the file, and of what `operations_of` writes
LARGEST = 64 * MEGABYTE
_NOTE = "legr"  # key of our own text in the file
_OWN = {"", "ai.onnx"}  # domains
_AGREEMENT = 1e-3  # largest difference, as a fraction of the largest answer


@dataclass(frozen=True)
class _StoredNumber(Record):
    owner: Name
    attribute: Name | None
    index: Count
    whole: Annotated[int, Field(ge=-(2**63), lt=2**63)]
    vector: Count


@dataclass(frozen=True)
class _Stored(Record):
    numbers: list[_StoredNumber]


def template_of(model: nn.Module, structure: Structure, input_shape: tuple[int, int, int]) -> Template:
    """The template of a network, from the cache or made now.

    Raises:
        ExportError, TemplateError: as `make_template`.
    """
    template = kept_template(model, structure, input_shape)
    if template is not None:
        return template
    template, path = make_template(model, structure, input_shape), cached_template(model, structure, input_shape)
    try:
        write_template(path, template, structure)
    except (OSError, SchemaError) as error:
        logger.warning("a graph cannot be kept in %s (%s); it is made again next time", path, error)
    return template


def template_or_none(model: nn.Module, structure: Structure, input_shape: tuple[int, int, int]) -> Template | None:
    """The same; None where no graph of the original serves its pruned networks.

    Raises:
        ExportError: the model uses an operation that ONNX cannot express.
    """
    try:
        return template_of(model, structure, input_shape)
    except TemplateError as error:
        logger.info("every pruned network is exported by itself: %s", error)
        return None


def kept_template(model: nn.Module, structure: Structure, input_shape: tuple[int, int, int]) -> Template | None:
    """The template of a network, where the cache has it."""
    path = cached_template(model, structure, input_shape)
    if not path.exists():
        return None
    try:
        template = read_template(path, structure)
        _require_alike(template, model, structure, input_shape)
    except (OSError, SchemaError, ExportError) as error:
        logger.warning("the graph in %s cannot be used (%s); it is made again", path, error)
        return None
    return template


def cached_template(model: nn.Module, structure: Structure, input_shape: tuple[int, int, int]) -> Path:
    """Where a template is kept, by all that its graph comes from but the code of the forward."""
    modules = [(name, type(module).__qualname__, module.extra_repr()) for name, module in model.named_modules()]
    versions = FORMAT, WRITTEN_IN, torch.__version__, onnx.__version__
    facts = json.dumps([to_dict(structure), modules, input_shape, versions])
    return cache_folder() / "graphs" / f"{hashlib.sha256(facts.encode()).hexdigest()}.onnx"


def write_template(path: Path, template: Template, structure: Structure) -> None:
    """Write a template, as an ONNX graph whose weights are inputs.

    Raises:
        OSError: it cannot be written.
        SchemaError: it is too large to be read again.
    """
    places = {labels.tobytes(): number for number, labels in enumerate(vectors_of(structure))}
    numbers = [
        _StoredNumber(n.place.owner, n.place.attribute, n.place.index, n.whole, places[n.labels.tobytes()])
        for n in template.numbers
    ]
    graph = onnx.ModelProto()
    graph.CopyFrom(template.operations)
    helper.set_model_props(graph, {_NOTE: json.dumps(_Stored(numbers).to_dict())})
    content = graph.SerializeToString()
    if len(content) > LARGEST:
        raise SchemaError(f"it must be at most {LARGEST // MEGABYTE} MB large, got {len(content) // MEGABYTE}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)


def read_template(path: Path, structure: Structure) -> Template:
    """Read a template.

    Raises:
        OSError: it cannot be read.
        SchemaError: it is damaged, of another structure, or holds what no template does.
    """
    graph = onnx.ModelProto()
    content = read_bytes(path, LARGEST)
    try:
        graph.ParseFromString(content)
        _require_plain(graph)
        onnx.checker.check_model(graph)
    except SchemaError:
        raise
    except Exception as error:  # protobuf and ONNX have errors of their own
        raise SchemaError(f"it is no ONNX graph: {str(error).splitlines()[0]}") from error
    notes = [entry.value for entry in graph.metadata_props if entry.key == _NOTE]
    note = notes[-1] if notes and isinstance(notes[-1], str) else ""  # protobuf gives bytes where it is no UTF-8
    del graph.metadata_props[:]
    vectors, integers = vectors_of(structure), integers_of(graph)
    numbers = []
    for stored in parse(note.encode(), _Stored).numbers:
        place = Place(stored.owner, stored.attribute, stored.index)
        if integers.get(place) != stored.whole or stored.vector >= len(vectors):
            raise SchemaError(f"the graph has no {stored.whole} in {stored.owner}")
        numbers.append(Number(place, stored.whole, vectors[stored.vector]))
    return Template(graph, tuple(numbers), structure.branches)


def _require_plain(model: onnx.ModelProto) -> None:
    """Refuse what could reach beyond the graph, or never end: tensors in other files, loops, foreign operations."""
    if model.functions or model.training_info or not {opset.domain for opset in model.opset_import} <= _OWN:
        raise SchemaError("it holds functions or operations that are not ONNX's own")
    if model.graph.sparse_initializer or any(tensor.external_data for tensor in _tensors(model.graph)):
        raise SchemaError("it holds tensors that lie in other files")
    for node in model.graph.node:
        if node.domain not in _OWN or any(a.HasField("g") or a.graphs for a in node.attribute):
            raise SchemaError(f"it holds an operation {node.op_type}, which no template has")


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)


def _require_alike(
    template: Template, model: nn.Module, structure: Structure, input_shape: tuple[int, int, int]
) -> None:
    """Refuse a template with which the whole network gives other answers than in PyTorch.

    Raises:
        ExportError: it does.
    """
    whole, network = Keep(np.ones(structure.n_units, dtype=bool)), as_exported(model)
    inputs = torch.randn(2, *input_shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network(inputs).numpy()
    try:
        graph = fill(template, whole, arrays_of(network))
    except Exception as error:  # names of weights that the network has not
        raise ExportError(f"it cannot be filled: {str(error).splitlines()[0]}") from error
    actual = answers(new_session(graph), inputs.numpy())
    if not np.allclose(actual, expected, rtol=0, atol=_AGREEMENT * float(np.abs(expected).max()), equal_nan=True):
        raise ExportError("it computes something else than the network")
