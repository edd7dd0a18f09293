"""One result of every command, written by hand."""

from legr.commands.job_results import CancelledJob, JobRow, JobRows
from legr.commands.prediction_results import ClassesAt, ClassesResult, ComparisonResult
from legr.commands.questions import LookResult, Prediction
from legr.commands.results import (
    Evaluation,
    ExportResult,
    FinetuneResult,
    Inspection,
    LayerCount,
    LocatedImages,
    Measurement,
    NetworkSummary,
    NewStudy,
    Reach,
    Size,
    SupernetResult,
    TogetherResult,
    TrainResult,
)
from legr.ranking.constraints import Constraints
from legr.report.write import PointsResult, ReportResult
from legr.search.types import LearnResult
from legr.structure.types import Remark
from legr.study.latency import Latency
from legr.study.provenance import Provenance
from legr.study.records import Point
from legr.study.supernets import SupernetPoint
from legr.training.settings import TrainSettings

OUTPUT = Remark("", "output", "they are the outputs", 10)
SPLIT = Remark("stage", "split", "halves stay as large", 8)

INSPECTION = Inspection(
    "net", 10, ((1, 3, 8, 8),), 24, 2, 1, 2_500_000, 1500, 2**20, 0.975, {"macs": 0.125, "params": 0.25}, 0.31, 3e-16,
    (OUTPUT,), (SPLIT,), ("norm",), ("aux.weight",),
)  # fmt: skip
NEW_STUDY = NewStudy("s", "net", 24, 2, 2_500_000, 1500, 0.125, 3e-16, "dataset", 2_600_000, (OUTPUT,))
LOCATED_IMAGES = LocatedImages(True, 100)
NETWORK = NetworkSummary(
    study="s", model="net", ranking="learned", constraints=Constraints(8, pins={"conv1": 16}), macs=1_250_000,
    macs_fraction=0.5, params=1500, params_fraction=0.6, activation=69_000,
    original_macs=2_500_000, original_params=2500, original_activation=80_000,
    floor=0.1, floors={"macs": 0.1, "params": 0.2, "activation": 0.3}, finetuned_top1=0.9,
    layers=(LayerCount("conv1", 16, 16), LayerCount("conv2", 8, 16)), unprunable=(OUTPUT,),
)  # fmt: skip
REACH = Reach(
    "s", "learned", Constraints(8), "multiples of 8", 21, {"macs": 0.1084, "params": 0.0456}, Size(1, 2), Size(3, 4)
)
EVALUATION = Evaluation(0.9321, 0.25, 100, False, False, 10, 0.5, 5, "learned")
POINT = Point("learned", "", 0.5, 10, 5, 0.5, 0.9, 0.3, 100, True, Latency(1.5, "PyTorch", "cpu", 2, 1))
MEASUREMENT = Measurement(3, 2, False, (POINT,))
LEARN_RESULT = LearnResult(9, 4, 60.02, 1.0, 0.46767, 41.0)
TRAIN_RESULT = TrainResult(
    0.9321, 0.25, 0.94, 3, TrainSettings(epochs=4), Provenance("python -m legr train", 0, 400.0, "CPU", "2.14", "3.11")
)
FINETUNE_RESULT = FinetuneResult(0.5, 0.81, 0.93, 3, 75.0, "study/finetuned/key.safetensors")
SUPERNET_RESULT = SupernetResult(
    "learned", 0.1, 10, 4000.0, "study/supernets/key.safetensors", "plain",
    tuple(
        SupernetPoint(f"net-{n}", 100 * n, 50 * n, n / 10, 32, top1, 0.4, 100)
        for n, top1 in ((10, 0.93), (4, 0.9), (1, 0.7))
    ),
)  # fmt: skip
TOGETHER_RESULT = TogetherResult(0.93, 4, (0.9, 0.97), SUPERNET_RESULT)
EXPORT_RESULT = ExportResult(
    "n.onnx", "weights.safetensors", "recipe.json", "net-50pct.zip", 1.7e-6, 0.99902, 1024, "digits", True, False, 10,
    0.5, 5, "plain", None, 13, 7, "1", "none",
)  # fmt: skip
COMPARISON_RESULT = ComparisonResult("a-b", 100, 80, 10, 6, 4, 18, 0.9, 0.86, 0.5, "learned", True, False)
LOOK_RESULT = LookResult(
    3, 7, 100, "8 x 8 pixels", "aW1hZ2U=", None, (Prediction(3, "cat", 0.75), Prediction(5, "dog", 0.2)),
    (Prediction(5, "dog", 0.5),), 0.5, "learned", True, 10, False, True,
)  # fmt: skip
JOB_ROW = JobRow("s", "learn-1", "learn", "running", "pass", 3, 60, 12.5, "", {})
JOB_ROWS = JobRows((JOB_ROW,))
CANCELLED_JOB = CancelledJob("learn-1", "cancelled")
REPORT_RESULT = ReportResult(
    "r.html", 5, "30 % of the work", "learned", "ab", None, 0.3, 0.92, True, 0.93, 5.0, False, None
)
POINTS_RESULT = PointsResult("p.csv", 2)

CLASSES_RESULT = ClassesResult(
    ranking="learned",
    supernet="",
    calibration="plain",
    classes=("ant", "bee", "cat"),
    images=8,
    networks=(
        ClassesAt("0" * 12, 1.0, 0.625, (0.75, 0.5, None)),
        ClassesAt("1" * 12, 0.5, 0.375, (0.5, 0.25, None)),
    ),
    changed_first=(5, 2),
)
