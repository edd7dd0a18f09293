"""What lies beside an exported network: what it is, the names of its classes, how it is fed, a program that does."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legr.data.normalization import Normalization, Preprocess
from legr.deploy.bundle import RECIPE, WEIGHTS
from legr.deploy.picture_input import PictureInput
from legr.escape import on_one_line
from legr.files import write_json, write_text
from legr.record import Record
from legr.study.accuracy import KnownAccuracy
from legr.study.records import RankingName
from legr.training.calibration import Calibration

ONNX, README, LABELS, INPUT, PREDICT = "network.onnx", "README.txt", "labels.txt", "input.json", "predict.py"
FILES = (ONNX, LABELS, INPUT, PREDICT, WEIGHTS, RECIPE, README)
_NAMED = 10  # classes in the text


@dataclass(frozen=True)
class Check(Record):
    """How the ONNX network compares with the PyTorch network."""

    max_abs_diff: float
    top1_agreement: float
    images: int
    images_from: str  # name of the data set, or "noise"


@dataclass(frozen=True)
class OnnxFacts(Record):
    """What the ONNX file asks of a runtime."""

    file: str
    input: str
    output: str
    batch: int | str  # "dynamic" is any number
    opset: int
    ir: int
    preprocess: Preprocess


@dataclass(frozen=True)
class Facts(Record):
    """What the export recipe tells beside how to rebuild the network."""

    input_shape: tuple[int, ...]
    classes: tuple[str, ...]
    normalization: Normalization
    macs: int
    macs_fraction: float  # of the model before anything was cut from it
    params: int
    ranking: RankingName
    recalibrated: bool
    calibration: str  # key of what batch norms were recalibrated on, if they were
    finetuned: Mapping[str, Any] | None  # settings, and top-1 after and before
    onnx: OnnxFacts
    check: Check
    accuracy: KnownAccuracy


def write_beside(folder: Path, heading: str, facts: Facts, about: PictureInput) -> None:
    """Write everything but the network itself.

    Args:
        heading: first line of the text, in one or two sentences.
        about: how the ONNX network is fed.

    Raises:
        OSError: the folder cannot be written.
    """
    write_text(folder / README, _text(heading, facts, about))
    write_text(folder / LABELS, "".join(f"{on_one_line(name)}\n" for name in about.classes))
    write_json(folder / INPUT, about.to_dict())
    write_text(folder / PREDICT, (Path(__file__).parent / "beside" / PREDICT).read_text("utf-8"))


def _text(heading: str, facts: Facts, about: PictureInput) -> str:
    onnx, check = facts.onnx, facts.check
    shape = " x ".join(map(str, about.shape))
    classes = [f"{number}: {on_one_line(name)}" for number, name in enumerate(about.classes[:_NAMED])]
    more = f", … ({len(about.classes)} in {LABELS})" if len(about.classes) > _NAMED else ""
    return f"""{heading}

{ONNX}         ONNX, opset {onnx.opset}, IR {onnx.ir}: input "{about.input}" {about.dtype} {shape} ({about.layout}),
                     output "{about.output}"
{PREDICT}           predicts a picture with it: python {PREDICT} PICTURE
{INPUT}           how a picture becomes its input, for programs
{LABELS}           names of the outputs, one a line
{WEIGHTS}  the same weights as plain tensors
{RECIPE}          how to rebuild the PyTorch network: legr.rebuild("{RECIPE}")

A picture is turned upright and scaled (bilinear, antialiased) until it just covers {about.width} x {about.height}
pixels; the centre of that is cropped. {_colors(about)}
{_values(facts.normalization, about)}
The classes, by their outputs: {", ".join(classes)}{more}.
{_norms(facts)}
{facts.accuracy.words}
Checked in ONNX Runtime on {check.images} inputs ({on_one_line(check.images_from)}):
same answer as PyTorch on {100 * check.top1_agreement:.2f} %, largest difference {check.max_abs_diff:.2g}.
"""


def _colors(about: PictureInput) -> str:
    return "It is made grey." if about.colors == "grey" else "Its colours are in the order red, green, blue (RGB)."


def _values(normalization: Normalization, about: PictureInput) -> str:
    mean, std = (", ".join(f"{v:.5f}" for v in values) for values in (normalization.mean, normalization.std))
    if about.mean:
        return f"Its values are scaled to [0, 1], minus the mean ({mean}), divided by the std ({std})."
    kind = "bytes" if about.dtype == "uint8" else "float32"
    return (
        f"Its values are given from 0 to 255, as {kind}: the ONNX network itself scales them to [0, 1], subtracts the\n"
        f"mean ({mean}) and divides by the std ({std}). The PyTorch network does not."
    )


def _norms(facts: Facts) -> str:
    if facts.recalibrated:
        return f"Batch norms were recalibrated on {Calibration.of(facts.calibration).words}."
    return "Batch norms have the statistics that came with the weights."
