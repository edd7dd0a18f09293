"""`predict.py` beside an export gives the app's answers, whatever the picture and whatever the file does itself."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from legr.data.encoded import ImageShape
from legr.data.normalization import Normalization
from legr.data.single import fitted, open_image
from legr.deploy.handed_out import Check, Facts, OnnxFacts, write_beside
from legr.deploy.onnx_file import OnnxSettings, hand_out
from legr.deploy.picture_input import picture_input
from legr.study.accuracy import KnownAccuracy

CLASSES = ("bolt\nand nut", "<b>screw</b>", "größe", "4", "5", "6")  # names come from elsewhere
NORMALIZATION = Normalization("custom", (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
GREY = Normalization("custom", (0.4,), (0.3,))
RANDOM = np.random.default_rng(0)


def noise(*shape: int, most: int = 256) -> NDArray[np.int64]:
    return RANDOM.integers(0, most, shape)


def pictures(folder: Path) -> dict[str, Path]:
    """A photo that lies on its side, 16 bits of grey, transparent pixels, a palette, and one that is smaller."""
    on_side = Image.Exif()
    on_side[0x0112] = 6
    wide = Image.fromarray(noise(37, 61, 3).astype(np.uint8))
    wide.save(folder / "photo.jpg", exif=on_side)
    Image.fromarray(noise(40, 33, most=65536).astype(np.uint16)).save(folder / "deep.png")
    Image.fromarray(noise(20, 50, 4).astype(np.uint8)).save(folder / "clear.png")
    wide.quantize(16).save(folder / "palette.png", transparency=3)
    Image.fromarray(noise(9, 5, 3).astype(np.uint8)).save(folder / "small.bmp")
    return {path.stem: path for path in folder.iterdir()}


def write_network(
    folder: Path, shape: ImageShape, normalization: Normalization, settings: OnnxSettings
) -> NDArray[np.float32]:
    """Write a linear network with what lies beside it, and return its weights."""
    weights = RANDOM.normal(size=(np.prod(shape), len(CLASSES))).astype(np.float32) / 20
    nodes = [helper.make_node("Flatten", ["images"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["logits"])]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", *shape])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(CLASSES)])
    graph = helper.make_graph(nodes, "g", [images], [logits], [numpy_helper.from_array(weights, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), folder / "network.onnx")
    about = picture_input(
        ("images", "logits"), shape, CLASSES, normalization, preprocess=settings.preprocess, batch=settings.batch
    )
    version = hand_out(folder / "network.onnx", settings, normalization, about)
    facts = Facts(
        *(shape, CLASSES, normalization, 1, 0.5, 1, "learned", False, "", None),
        OnnxFacts("network.onnx", "images", "logits", 1, version.opset, version.ir, settings.preprocess),
        Check(0.0, 1.0, 1, "noise"),
        KnownAccuracy(),
    )
    write_beside(folder, "a network", facts, about)
    return weights


@pytest.mark.parametrize(
    ("picture", "shape", "settings"),
    [
        ("photo", (3, 16, 24), OnnxSettings()),
        ("deep", (1, 20, 12), OnnxSettings()),
        ("clear", (3, 12, 12), OnnxSettings(batch=None, preprocess="uint8")),
        ("palette", (1, 17, 19), OnnxSettings(batch=3, preprocess="uint8")),
        ("small", (3, 16, 16), OnnxSettings(preprocess="normalize")),
    ],
)
def test_the_program_gives_the_answers_of_the_app(
    tmp_path: Path, picture: str, shape: ImageShape, settings: OnnxSettings
) -> None:
    folder, sources = tmp_path / "out", tmp_path / "pictures"
    folder.mkdir()
    sources.mkdir()
    path = pictures(sources)[picture]
    normalization = GREY if shape[0] == 1 else NORMALIZATION
    weights = write_network(folder, shape, normalization, settings)
    pixels, _ = fitted(open_image(path), shape)  # as `look` and the page See it take a picture
    mean, std = (np.array(values).reshape(-1, 1, 1) for values in (normalization.mean, normalization.std))
    odds = np.exp(((pixels / 255 - mean) / std).reshape(-1) @ weights.astype(np.float64))
    expected = sorted(zip(odds / odds.sum(), ("bolt and nut", *CLASSES[1:]), strict=True), reverse=True)[:5]
    command = [sys.executable, "-I", str(folder / "predict.py"), str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout.splitlines()
    assert [line.split(" ", 1)[1] for line in said] == [name for _, name in expected]
    for line, (probability, _) in zip(said, expected, strict=True):
        assert float(line.split(" ")[0]) == pytest.approx(probability, abs=1e-5)


def test_the_text_says_how_to_feed_it(tmp_path: Path) -> None:
    write_network(tmp_path, (3, 16, 24), NORMALIZATION, OnnxSettings(opset=17))
    text = (tmp_path / "README.txt").read_text("utf-8")
    for words in (
        *("opset 17, IR 8", "float32 1 x 3 x 16 x 24 (NCHW)", "just covers 24 x 16", "centre of that is cropped"),
        *("red, green, blue (RGB)", "minus the mean (0.50000, 0.40000, 0.30000)", "Not fine-tuned"),
        "0: bolt and nut, 1: <b>screw</b>, 2: größe",
    ):
        assert words in text
    assert (tmp_path / "labels.txt").read_text("utf-8") == "bolt and nut\n<b>screw</b>\ngröße\n4\n5\n6\n"
