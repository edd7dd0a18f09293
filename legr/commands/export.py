"""Export the network of a budget: ONNX, safetensors and recipe, checked, in one zip.

It does not know how a network became good; it takes it as `evaluate` would score it.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from legr.commands.network import images_of, network_at, normalization_of, original
from legr.commands.results import ExportResult
from legr.commands.statistics_cache import prepared
from legr.data.batches import iterate
from legr.data.images import Dataset
from legr.deploy.bundle import RECIPE, WEIGHTS, write_recipe, zip_files
from legr.deploy.export import INPUT, OUTPUT, Agreement, compare, export_onnx
from legr.errors import DataError, ExportError
from legr.files import in_words
from legr.progress import Progress, Report
from legr.ranking.limits import Budget
from legr.structure.plans import compose
from legr.structure.surgery import plan
from legr.study.cuts import cuts_of
from legr.study.store import Study

CHECK_IMAGES = 1024
_ONNX, _README = "network.onnx", "README.txt"


def export(study: Study, budget: Budget, out: Path, report: Report) -> ExportResult:
    """Write the network of a budget to `out`; fine-tuned weights of exactly this kept set are used where they exist.

    Without the study's images the batch norms have the statistics that were chosen before, else stay as they are, and
    the check runs on noise; the result says so.

    Raises:
        ExportError: the folder cannot be written, or the exported network computes something else.
    """
    device = torch.device("cpu")
    model = original(study)
    network = network_at(study, model, budget)
    dataset = _images_or_none(study, report)
    found = prepared(study, network, lambda: _required(dataset), device)
    pruned, recalibrated = found.model, found.recalibrated
    report(Progress("writing and checking in ONNX Runtime", 0, 1))
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".partial-") as name:
            folder = Path(name)  # nothing that has not been checked is ever found in `out`
            export_onnx(pruned, study.info.input_shape, folder / _ONNX)
            agreement = compare(pruned, folder / _ONNX, _check_batches(study, dataset))
            _require_agreement(agreement)
            facts = _facts(study, network, recalibrated, agreement, dataset is not None)
            cuts, before = plan(model, study.structure, network.keep), cuts_of(study)
            whole = cuts if before is None else compose(before, cuts)
            write_recipe(
                folder, pruned, study.info.model, study.info.num_classes, whole, facts, metadata=_metadata(study)
            )
            (folder / _README).write_text(_readme(study, facts), encoding="utf-8")
            archive = out / f"{study.info.model}-{100 * facts['macs_fraction']:.0f}pct.zip"
            files = (_ONNX, WEIGHTS, RECIPE, _README)
            zip_files(folder / archive.name, [folder / file for file in files])
            for file in (*files, archive.name):
                (folder / file).replace(out / file)
    except OSError as error:
        raise ExportError(f"the export cannot be written to {out.name}: {in_words(error)}") from error
    return ExportResult(
        onnx=str(out / _ONNX),
        weights=str(out / WEIGHTS),
        recipe=str(out / RECIPE),
        zip=str(archive),
        max_abs_diff=agreement.max_abs_diff,
        top1_agreement=agreement.top1_agreement,
        images=agreement.images,
        checked_on=facts["check"]["images_from"],
        finetuned=network.run is not None,
        recalibrated=recalibrated,
        macs=network.macs,
        macs_fraction=network.macs_fraction,
        params=network.params,
    )


def _required(dataset: Dataset | None) -> Dataset:
    if dataset is None:
        raise DataError("the images of this study are not here")
    return dataset


def _images_or_none(study: Study, report: Report) -> Dataset | None:
    try:
        return images_of(study, report)
    except DataError:
        return None


def _check_batches(study: Study, dataset: Dataset | None) -> Iterator[Tensor]:
    """At least 1,000 inputs: test images first, then training images where a set is small; noise without images."""
    size = max(8, 64 * 1024 // (study.info.input_shape[1] * study.info.input_shape[2]))
    if dataset is None:
        generator = torch.Generator().manual_seed(0)
        for start in range(0, CHECK_IMAGES, size):
            yield torch.randn(min(size, CHECK_IMAGES - start), *study.info.input_shape, generator=generator)
        return
    left = CHECK_IMAGES
    for split in (dataset.test, dataset.train):
        order = torch.arange(min(left, len(split)))
        left -= len(order)
        for inputs, _ in iterate(split, normalization_of(study), batch=size, order=order, channels_last=False):
            yield inputs


def _require_agreement(agreement: Agreement) -> None:
    if not (agreement.top1_agreement >= 0.99 and agreement.max_abs_diff < float("inf")):
        raise ExportError(
            f"the exported network agrees with the original on {100 * agreement.top1_agreement:.1f} % of "
            f"{agreement.images} images only (largest difference {agreement.max_abs_diff:.2g}); it is not handed out"
        )


def _facts(study: Study, network: Any, recalibrated: bool, agreement: Agreement, on_images: bool) -> dict[str, Any]:
    info, run = study.info, network.run
    return {
        "input_shape": list(info.input_shape),
        "classes": list(info.classes),
        "normalization": dict(info.normalization),
        "macs": network.macs,
        "macs_fraction": network.macs_fraction * (info.pruned_to or 1.0),
        "params": network.params,
        "ranking": study.default_ranking,
        "recalibrated": recalibrated,
        "finetuned": {**run.settings, "top1": run.top1, "top1_before": run.top1_before} if run else None,
        "onnx": {"file": _ONNX, "input": INPUT, "output": OUTPUT, "batch": "dynamic"},
        "check": {
            "max_abs_diff": agreement.max_abs_diff,
            "top1_agreement": agreement.top1_agreement,
            "images": agreement.images,
            "images_from": info.data_name if on_images else "noise",
        },
    }


def _metadata(study: Study) -> dict[str, str] | None:
    """What tells a later study that these weights never saw its held-out images; None where they may have."""
    info = study.info
    if info.weights_origin != "legr":
        return None
    return {"made_by": "legr", "data": info.data_fingerprint, "split_seed": str(info.split_seed)}


def _readme(study: Study, facts: dict[str, Any]) -> str:
    mean, std = (", ".join(f"{v:.5f}" for v in facts["normalization"][key]) for key in ("mean", "std"))
    shape = "x".join(map(str, facts["input_shape"]))
    return f"""{study.info.model}, {100 * facts["macs_fraction"]:.1f} % of that model's multiply-adds

{_ONNX}             ONNX, input "{INPUT}" float32 (batch, {shape}), output "{OUTPUT}"
{WEIGHTS}      the same weights as plain tensors
{RECIPE}              how to rebuild the PyTorch network: legr.rebuild("recipe.json")

Inputs are images scaled to [0, 1], minus the mean ({mean}), divided by the std ({std}).
Checked in ONNX Runtime on {facts["check"]["images"]} inputs ({facts["check"]["images_from"]}):
same answer on {100 * facts["check"]["top1_agreement"]:.2f} %, largest difference {facts["check"]["max_abs_diff"]:.2g}.
"""
