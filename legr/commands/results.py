"""What each command returns: its `--json` output, key by key. No torch, so that a page may read a stored result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from legr.ranking.constraints import Constraints
from legr.ranking.limits import Metric
from legr.record import Record
from legr.schema import Count, Real, Several, Share
from legr.structure.types import Remark, Uncounted
from legr.study.accuracy import KnownAccuracy
from legr.study.heldout import HeldoutScore
from legr.study.latency import Latency
from legr.study.provenance import Provenance
from legr.study.records import Point, RankingName
from legr.study.scaled import ScaledPoint
from legr.study.supernets import SupernetPoint
from legr.training.settings import TrainSettings


@dataclass(frozen=True)
class Inspection(Record):
    """`inspect`: what of a model can be pruned, and why the rest cannot."""

    model: str
    classes: int
    inputs: tuple[tuple[int, ...], ...]  # shapes, the batch of 1 in front
    units: int
    layers: int
    groups: int
    macs: int
    params: int
    activation_bytes: int
    prunable_macs: float  # fraction of the MACs
    floor: Mapping[str, float]  # smallest fraction that the identity ranking reaches, of "macs" and "params"
    trace_seconds: float
    self_check: float  # largest relative error of zeroed = removed
    unprunable: Annotated[tuple[Remark, ...], Field(alias="held")]
    coupled: Annotated[tuple[Remark, ...], Field(alias="tied")]
    exempt: tuple[str, ...]
    untouched: tuple[str, ...]
    uncounted: tuple[Uncounted, ...] = ()  # operations that may multiply by weights, missing in the MACs


@dataclass(frozen=True)
class NewStudy(Record):
    """`new`: what the study is about."""

    study: str
    model: str
    units: int
    layers: int
    macs: int
    params: int
    floor: float  # smallest fraction of the MACs that the identity ranking reaches
    self_check: float  # largest relative error of zeroed = removed
    normalization: str
    thop_macs: int | None  # counted by thop; None where it cannot count this network
    unprunable: tuple[Remark, ...]
    uncounted: tuple[Uncounted, ...] = ()
    heldout: HeldoutScore | None = None  # how the original does on held-out images
    warning: str | None = None  # it does no better than guessing
    calibration: str = ""  # key of what batch norms are recalibrated on
    calibration_words: str = ""  # the same in words, with the reason
    multiple: int = 1  # of channels that its networks are rounded to


@dataclass(frozen=True)
class LocatedImages(Record):
    """`data`: the images of a study are found."""

    ok: bool  # always True: whatever else is an error
    images: int  # test images


@dataclass(frozen=True)
class LayerCount(Record):
    """Filters of a layer that stay."""

    name: str
    kept: int
    total: int


@dataclass(frozen=True)
class NetworkSummary(Record):
    """`show`: cost and filter counts of the network of a budget."""

    study: str
    model: str
    ranking: RankingName
    constraints: Annotated[Constraints, Field(alias="shape")]
    macs: int
    macs_fraction: float  # of the original's, as all fractions here
    params: int
    params_fraction: float
    activation: int  # bytes at the memory peak; 0 where the study was made before it was counted
    original_macs: Annotated[int, Field(alias="dense_macs")]
    original_params: Annotated[int, Field(alias="dense_params")]
    original_activation: Annotated[int, Field(alias="dense_activation")]
    floor: float
    floors: Mapping[Metric, float]
    finetuned_top1: float | None  # None: not fine-tuned
    layers: tuple[LayerCount, ...]
    unprunable: tuple[Remark, ...]
    uncounted: tuple[Uncounted, ...] = ()
    calibration: str = ""  # key of what batch norms are recalibrated on
    calibration_words: str = ""  # the same in words, with the reason
    device_profile: str = ""  # the device that latencies are predicted for; "": they are not
    latency_ms: float | None = None
    original_latency_ms: float | None = None


@dataclass(frozen=True)
class Size(Record):
    """Cost of a network."""

    macs: int
    params: int
    latency_ms: float | None = None  # predicted, where a device is asked about


@dataclass(frozen=True)
class Reach(Record):
    """`shape`: the constraints of a study, and the networks that its default ranking reaches under them."""

    study: str
    ranking: RankingName
    constraints: Annotated[Constraints, Field(alias="shape")]
    words: str  # the constraints in words; "" where there are none
    steps: int
    floors: Mapping[Metric, float]  # smallest fraction that is reached, by kind of cost
    least: Size
    largest: Size
    uncounted: tuple[Uncounted, ...] = ()


@dataclass(frozen=True)
class Evaluation(Record):
    """`evaluate`: a network of a study on the test images."""

    top1: float  # in [0, 1]
    loss: float | None  # None: an output is NaN or infinite
    images: int
    recalibrated: bool
    finetuned: bool
    macs: int
    macs_fraction: float  # of the original's
    params: int
    ranking: RankingName
    calibration: str = ""  # key of what its batch norms are recalibrated on, where they are
    supernet: str = ""  # key of the supernet whose weights it has


@dataclass(frozen=True)
class Measurement(Record):
    """`measure`: the points of the frontier, and how many of them are new."""

    measured: int
    skipped: int  # were measured before
    contended: Annotated[bool, Field(alias="hindered")]  # other programs were using the cores
    points: tuple[Point, ...]
    calibration: str = ""  # key of what batch norms are recalibrated on
    unsteady: int = 0  # latencies that varied, also when they were taken again
    scaled: tuple[ScaledPoint, ...] = ()  # with images of several heights


@dataclass(frozen=True)
class TrainResult(Record):
    """`train`: how well the network does that was trained from scratch, or on."""

    top1: float  # on test images, in [0, 1]
    loss: float | None  # None: an output is NaN or infinite
    heldout_top1: float
    best_epoch: int  # from 1
    settings: TrainSettings
    provenance: Provenance

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data; provenance stands beside the figures."""
        data = super().to_dict()
        provenance = data.pop("provenance")
        return {**data, **provenance}


@dataclass(frozen=True)
class FinetuneResult(Record):
    """`finetune`: a fine-tuned network."""

    macs_fraction: Share  # of the original's
    top1_before: Share  # on test images
    top1: Share
    epochs: Count
    seconds: Real
    weights: str  # file
    calibration: str = ""  # key of what batch norms are recalibrated on
    latency: Latency | None = None
    supernet: str = ""  # key of the supernet whose weights it began with, so that `top1_before` is of its slice
    original_top1: Share | None = None  # of the original; None: it was not measured
    original_trained: Share | None = None  # of the original after the same training; None: there is no such run


@dataclass(frozen=True)
class SupernetResult(Record):
    """`supernet`: networks of all budgets that were trained together."""

    ranking: RankingName
    smallest: Share  # fraction of MACs
    epochs: Count
    seconds: Real
    weights: str  # file
    calibration: str  # key of what batch norms are recalibrated on
    points: Several[SupernetPoint]
    between: Several[SupernetPoint] = ()  # networks of random budgets between them


@dataclass(frozen=True)
class TogetherResult(Record):
    """`train --supernet`: a network that was trained from scratch, and those of all budgets with it."""

    top1: Share  # of the whole network, on test images
    structures_at: Count  # epochs after which the ranking was fixed
    similarities: Several[Real]  # cosine of the kept sets before an epoch and of those before the last; from epoch 2 on
    supernet: SupernetResult


@dataclass(frozen=True)
class ExportResult(Record):
    """`export`: files, and how they were checked. What an earlier version did not note has its default."""

    onnx: str = ""
    weights: str = ""
    recipe: str = ""
    zip: str = ""
    max_abs_diff: Real | None = None  # between ONNX Runtime and PyTorch
    top1_agreement: Share = 0.0  # fraction of the inputs
    images: Count | None = None  # inputs of the check
    checked_on: str = ""  # the data set, or "noise"
    finetuned: bool = False
    recalibrated: bool = False
    macs: Count = 0
    macs_fraction: Share = 0.0
    params: Count = 0
    calibration: str = ""  # key of what its batch norms are recalibrated on, where they are
    accuracy: KnownAccuracy | None = None  # what is known of it
    opset: Count = 0  # of the ONNX file
    ir: Count = 0  # its version of the format
    batch: str = ""  # images that it takes at a time, or "dynamic"
    preprocess: str = ""  # what it does of the preparation of its input
    supernet: str = ""  # key of the supernet whose weights it has
    network: str = ""  # its kept set
    run: str = ""  # key of the fine-tuning run whose weights it has

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data, without what an earlier version did not note."""
        later = ("calibration", "accuracy", "opset", "ir", "batch", "preprocess", "supernet", "network", "run")
        return {key: value for key, value in super().to_dict().items() if value or key not in later}
