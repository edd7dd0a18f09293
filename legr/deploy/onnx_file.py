"""An ONNX file as it is handed out: how many images it takes, how much of their preparation it does, its opset."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnxscript import optimizer

from legr.data.normalization import Normalization, Preprocess
from legr.deploy.graph import ANY_SIZE, BATCH
from legr.deploy.opset import opset_of, with_opset
from legr.deploy.picture_input import BYTE, PictureInput
from legr.errors import ExportError
from legr.files import write_bytes


@dataclass(frozen=True, slots=True)
class OnnxSettings:
    """What a user may ask of an ONNX file.

    Attributes:
        opset: None is the lowest that the network allows.
        batch: images that it takes at a time; None is any number.
    """

    opset: int | None = None
    batch: int | None = 1
    preprocess: Preprocess = "none"


@dataclass(frozen=True, slots=True)
class OnnxVersion:
    """What a runtime must know to read a file."""

    opset: int
    ir: int


def hand_out(path: Path, settings: OnnxSettings, normalization: Normalization, about: PictureInput) -> OnnxVersion:
    """Rewrite an ONNX file with one input and a dynamic batch as `settings` ask, in place.

    Args:
        about: how it is fed; goes into the file as metadata, beside the classes.

    Raises:
        ExportError: the network cannot be written so.
    """
    model = onnx.load(path)
    try:
        model = with_preprocessing(with_batch(model, settings.batch), normalization, settings.preprocess)
        del model.graph.value_info[:]  # what is written is what is inferred anew, for the shapes that it has now
        model = onnx.shape_inference.infer_shapes(with_opset(model, settings.opset))
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"this network cannot be written as ONNX: {str(error).splitlines()[0]}") from error
    facts = about.to_dict()
    helper.set_model_props(model, {"classes": json.dumps(facts.pop("classes")), "input": json.dumps(facts)})
    write_bytes(path, model.SerializeToString(deterministic=True))
    return OnnxVersion(opset_of(model), model.ir_version)


def with_batch(model: ModelProto, batch: int | None) -> ModelProto:
    """The graph for so many images at a time, without what it computed from their number; None leaves it as it is."""
    if batch is None:
        return model
    fixed = _copy(model)
    for value in (*fixed.graph.input, *fixed.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param == BATCH:
                dimension.dim_value = batch
    del fixed.graph.value_info[:]  # they say "batch" as well
    folded: ModelProto = optimizer.optimize(fixed, input_size_limit=ANY_SIZE, output_size_limit=ANY_SIZE)
    return folded


def with_preprocessing(model: ModelProto, normalization: Normalization, preprocess: Preprocess) -> ModelProto:
    """The graph that normalizes its input itself, with operations that every opset has.

    Args:
        model: its one input is float32[N, C, H, W].
    """
    if preprocess == "none":
        return model
    changed = _copy(model)
    graph = changed.graph
    (images,) = graph.input
    source, scaled, normalized = images.name, f"{images.name}.scaled", f"{images.name}.normalized"
    for node in graph.node:
        node.input[:] = [normalized if name == source else name for name in node.input]
    std = np.array(normalization.std).reshape(1, -1, 1, 1)
    factors = {
        "pixel.scale": 1 / (BYTE * std),
        "pixel.shift": -np.array(normalization.mean).reshape(1, -1, 1, 1) / std,
    }
    graph.initializer.extend(numpy_helper.from_array(v.astype(np.float32), name) for name, v in factors.items())
    nodes = []
    if preprocess == "uint8":
        planes, pixels = f"{source}.planes", f"{source}.pixels"
        nodes += [
            helper.make_node("Transpose", [source], [planes], planes, perm=(0, 3, 1, 2)),
            helper.make_node("Cast", [planes], [pixels], pixels, to=TensorProto.FLOAT),
        ]
        source = pixels
        batch, channels, height, width = (_size(d) for d in images.type.tensor_type.shape.dim)
        shape = [batch, height, width, channels]
        images.CopyFrom(helper.make_tensor_value_info(images.name, TensorProto.UINT8, shape))
    nodes += [
        helper.make_node("Mul", [source, "pixel.scale"], [scaled], scaled),
        helper.make_node("Add", [scaled, "pixel.shift"], [normalized], normalized),
    ]
    network = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *network])
    return changed


def _size(dimension: onnx.TensorShapeProto.Dimension) -> int | str:
    return dimension.dim_param or dimension.dim_value


def _copy(model: ModelProto) -> ModelProto:
    copied = ModelProto()
    copied.CopyFrom(model)
    return copied
