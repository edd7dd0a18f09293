"""Sessions of ONNX Runtime for pruned networks, all made from one template of the original."""

from contextlib import suppress

import onnx
import onnxruntime
from torch import nn

from legr.deploy.graph import BATCH, graph_of
from legr.deploy.template import Template, arrays_at, fill
from legr.deploy.template_cache import template_of
from legr.errors import ExportError
from legr.schema import MEGABYTE
from legr.structure.surgery import prune
from legr.structure.types import Keep, Structure

_KEPT = 512 * MEGABYTE  # of graphs with their weights, whose sessions stay
_SILENT = 4  # of ONNX Runtime's levels of the log


def new_session(graph: onnx.ModelProto, threads: int, batch: int) -> onnxruntime.InferenceSession:
    """A session on the processor for so many images at a time; ONNX Runtime folds batch norms by itself.

    Raises:
        ExportError: it knows no such operation.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, _SILENT
    options.add_free_dimension_override_by_name(BATCH, batch)  # what a graph computes from its batch is then constant
    try:
        return onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has one for each of its status codes
        raise ExportError(
            f"ONNX Runtime cannot run this network ({str(error).splitlines()[0]}); time it with --runtime pytorch"
        ) from error


class Sessions:
    """Makes the session of each kept set once, as long as they fit into memory together."""

    def __init__(
        self, model: nn.Module, structure: Structure, input_shape: tuple[int, int, int], *, threads: int, batch: int
    ) -> None:
        self._model, self._structure, self._input_shape = model, structure, input_shape
        self._threads, self._batch = threads, batch
        self._kept: dict[bytes, onnxruntime.InferenceSession] = {}
        self._room = _KEPT
        self._template: Template | None = None  # then each network is exported by itself
        with suppress(ExportError):  # if no network can be exported at all, the first one says so
            self._template = template_of(model, structure, input_shape)

    def of(self, keep: Keep) -> onnxruntime.InferenceSession:
        """The session of a pruned network.

        Raises:
            ExportError: the network uses an operation that ONNX cannot express, or that ONNX Runtime lacks.
        """
        key = keep.units.tobytes()
        if key not in self._kept:
            graph = self._graph(keep)
            session = new_session(graph, self._threads, self._batch)
            if graph.ByteSize() > self._room:
                return session
            self._room -= graph.ByteSize()
            self._kept[key] = session
        return self._kept[key]

    def _graph(self, keep: Keep) -> onnx.ModelProto:
        if self._template is None:
            return graph_of(prune(self._model, self._structure, keep), self._input_shape)
        return fill(self._template, keep, arrays_at(self._model, self._structure, keep))
