"""Sessions of ONNX Runtime for pruned networks, made from one template of the original where it has one."""

import numpy as np
import onnx
import onnxruntime
from torch import nn

from legr.deploy.graph import operations_of, with_weights
from legr.deploy.onnx_session import answers, new_session
from legr.deploy.template import Template, arrays_at, operations_at
from legr.schema import MEGABYTE
from legr.structure.surgery import prune
from legr.structure.types import Keep, Structure

_KEPT = 512 * MEGABYTE  # of graphs with their weights, whose sessions stay


class Sessions:
    """Makes the session of each kept set once, as long as they fit into memory together."""

    def __init__(
        self,
        model: nn.Module,
        structure: Structure,
        input_shape: tuple[int, int, int],
        template: Template | None,
        *,
        threads: int,
        batch: int,
    ) -> None:
        self._model, self._structure, self._input_shape = model, structure, input_shape
        self._template = template
        self._threads, self._batch = threads, batch
        self._kept: dict[bytes, onnxruntime.InferenceSession] = {}
        self._exported: dict[bytes, onnx.ModelProto] = {}  # without weights; where there is no template
        self._room = _KEPT

    def of(self, keep: Keep) -> onnxruntime.InferenceSession:
        """The session of a pruned network, which has run once.

        Raises:
            ExportError: the network uses an operation that ONNX cannot express, or that ONNX Runtime lacks.
        """
        key = keep.units.tobytes()
        if key not in self._kept:
            graph = with_weights(self._operations(keep), arrays_at(self._model, self._structure, keep))
            session = new_session(graph, threads=self._threads, batch=self._batch)
            answers(session, np.zeros((self._batch, *self._input_shape), dtype=np.float32))
            if graph.ByteSize() > self._room:
                return session
            self._room -= graph.ByteSize()
            self._kept[key] = session
        return self._kept[key]

    def _operations(self, keep: Keep) -> onnx.ModelProto:
        if self._template is not None:
            return operations_at(self._template, keep)
        key = keep.units.tobytes()
        if key not in self._exported:  # kept even where sessions are not: an export takes seconds
            self._exported[key] = operations_of(prune(self._model, self._structure, keep), self._input_shape)
        return self._exported[key]
