"""The `--json` output of every command: exactly these keys, and plain data."""

import json
from dataclasses import replace

import pytest

from legr.commands.questions import LookResult
from legr.commands.results import ExportResult
from legr.record import Record
from legr.study.provenance import Provenance
from tests.commands import results_by_hand as by_hand

RECORDS = {
    "inspect": by_hand.INSPECTION,
    "new": by_hand.NEW_STUDY,
    "data": by_hand.LOCATED_IMAGES,
    "show": by_hand.NETWORK,
    "shape": by_hand.REACH,
    "evaluate": by_hand.EVALUATION,
    "measure": by_hand.MEASUREMENT,
    "learn": by_hand.LEARN_RESULT,
    "train": by_hand.TRAIN_RESULT,
    "train --supernet": by_hand.TOGETHER_RESULT,
    "finetune": by_hand.FINETUNE_RESULT,
    "supernet": by_hand.SUPERNET_RESULT,
    "export": by_hand.EXPORT_RESULT,
    "compare": by_hand.COMPARISON_RESULT,
    "classes": by_hand.CLASSES_RESULT,
    "look": by_hand.LOOK_RESULT,
    "report": by_hand.REPORT_RESULT,
    "points": by_hand.POINTS_RESULT,
    "jobs": by_hand.JOB_ROWS,
    "cancel": by_hand.CANCELLED_JOB,
}
KEYS = {
    "inspect": (
        "model classes inputs units layers groups macs params activation_bytes prunable_macs floor trace_seconds "
        "self_check held tied exempt untouched uncounted"
    ),
    "new": (
        "study model units layers macs params floor self_check normalization thop_macs unprunable uncounted "
        "heldout warning calibration calibration_words multiple"
    ),
    "data": "ok images",
    "show": (
        "study model ranking shape macs macs_fraction params params_fraction activation dense_macs dense_params "
        "dense_activation floor floors finetuned_top1 layers unprunable uncounted calibration calibration_words "
        "device_profile latency_ms original_latency_ms"
    ),
    "shape": "study ranking shape words steps floors least largest uncounted",
    "evaluate": "top1 loss images recalibrated finetuned macs macs_fraction params ranking calibration supernet",
    "measure": "measured skipped hindered points calibration unsteady scaled",
    "learn": "candidates resumed_from passes identity_loss best_loss seconds",
    "train": "top1 loss heldout_top1 best_epoch settings command seed seconds machine torch python",
    "train --supernet": "top1 structures_at similarities supernet",
    "supernet": "ranking smallest epochs seconds weights calibration points between",
    "finetune": (
        "macs_fraction top1_before top1 epochs seconds weights calibration latency supernet original_top1 "
        "original_trained"
    ),
    "export": (
        "onnx weights recipe zip max_abs_diff top1_agreement images checked_on finetuned recalibrated macs "
        "macs_fraction params calibration opset ir batch preprocess"
    ),
    "compare": (
        "comparison images both only_original only_pruned neither differ top1_original top1 macs_fraction ranking "
        "finetuned recalibrated calibration supernet height"
    ),
    "classes": "ranking supernet calibration classes images networks changed_first",
    "look": (
        "label test_image test_images prepared seen picture original pruned macs_fraction ranking finetuned epochs "
        "recalibrated statistics_known calibration supernet height"
    ),
    "report": (
        "report bytes headline ranking keep_id run macs_fraction top1 top1_measured top1_original latency_ms "
        "latency_measured latency_ms_original height"
    ),
    "points": "table rows",
    "jobs": "jobs",
    "cancel": "id state",
}
INNER = {
    ("inspect", "held"): "module operation reason channels",
    ("show", "shape"): "multiple floors excluded pins",
    ("show", "layers"): "name kept total",
    ("shape", "least"): "macs params latency_ms",
    ("measure", "points"): (
        "ranking ranking_id budget macs params macs_fraction top1 loss images recalibrated latency finetuned created "
        "made"
    ),
    ("supernet", "points"): "keep_id macs params macs_fraction side top1 loss images heldout_top1",
    ("classes", "networks"): "keep_id macs_fraction top1 top1_of_classes",
    ("look", "original"): "class name probability",
    ("jobs", "jobs"): "study id kind state stage done total seconds_left error result",
    ("train", "settings"): (
        "epochs lr decay warmup momentum weight_decay batch distill temperature teacher_weight smoothing average clip "
        "seed"
    ),
}


@pytest.mark.parametrize("command", KEYS)
def test_keys(command: str) -> None:
    data = json.loads(json.dumps(RECORDS[command].to_dict()))
    assert list(data) == KEYS[command].split()
    for (owner, key), inner in INNER.items():
        if owner == command:
            values = data[key] if isinstance(data[key], list) else [data[key]]
            assert values and all(list(value) == inner.split() for value in values), key


@pytest.mark.parametrize(
    "record", [by_hand.LOOK_RESULT, by_hand.EXPORT_RESULT, by_hand.FINETUNE_RESULT, by_hand.SUPERNET_RESULT]
)
def test_a_result_is_read_again_as_it_was_written(record: Record) -> None:
    assert type(record).from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_a_look_at_a_file_is_read_again() -> None:
    result = replace(by_hand.LOOK_RESULT, label=None, test_image=None, test_images=None, file_image="cG5n", epochs=None)
    assert LookResult.from_dict(result.to_dict()) == result


def test_an_export_of_an_earlier_version_is_read() -> None:
    files = {name: name for name in ("onnx", "weights", "recipe", "zip")}
    result = ExportResult.from_dict({**files, "max_abs_diff": 1e-6, "top1_agreement": 1.0})
    assert (result.zip, result.images, result.checked_on, result.finetuned) == ("zip", None, "", False)


def test_provenance_leaves_out_what_was_not_noted() -> None:
    assert Provenance("python -m legr measure", None, 0.0).to_dict() == {
        "command": "python -m legr measure",
        "seconds": 0.0,
    }
