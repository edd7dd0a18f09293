"""Export the network of a budget, as `evaluate` scores it: ONNX, safetensors and recipe, checked, in one zip."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from legr.commands.images import images_of
from legr.commands.network import Network, network_at
from legr.commands.original import original
from legr.commands.results import ExportResult
from legr.commands.statistics_cache import recall_statistics
from legr.data.batches import iterate
from legr.data.images import Dataset
from legr.data.normalization import Normalization
from legr.deploy.bundle import RECIPE, WEIGHTS, write_recipe, zip_files
from legr.deploy.export import INPUT, OUTPUT, Agreement, check_agreement, export_onnx
from legr.errors import DataError, ExportError
from legr.escape import on_one_line
from legr.files import in_words, temporary_folder, write_text
from legr.held import shown
from legr.progress import Progress, Report
from legr.ranking.limits import Budget
from legr.record import Record
from legr.structure.cost import uncounted_note
from legr.structure.plans import compose
from legr.structure.surgery import plan
from legr.study.accuracy import KnownAccuracy, accuracy_of
from legr.study.cuts import load_cuts
from legr.study.known import known_networks, measured_points
from legr.study.records import RankingName
from legr.study.store import Study
from legr.training.calibration import Calibration

CHECK_IMAGES = 1024
_ONNX, _README = "network.onnx", "README.txt"


@dataclass(frozen=True)
class _Check(Record):
    """How the ONNX network compares with the PyTorch network."""

    max_abs_diff: float
    top1_agreement: float
    images: int
    images_from: str  # name of the data set, or "noise"


@dataclass(frozen=True)
class _Facts(Record):
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
    onnx: Mapping[str, str]
    check: _Check
    accuracy: KnownAccuracy


def export(
    study: Study,
    budget: Budget,
    out: Path,
    report: Report,
    run: str | None = None,
    ranking: RankingName | None = None,
) -> ExportResult:
    """Write the network of a budget to `out`; fine-tuned weights of exactly this kept set are used where they exist.

    Without the study's images, the batch norms have the statistics that were chosen before or else those of the
    weights, and the check runs on noise; the result says so.

    Args:
        run: key of a fine-tuning run, whose network and weights take the place of the budget's.
        ranking: None: the study's default one.

    Raises:
        StudyError: there is no such run, or its kept set is lost.
        ExportError: the folder cannot be written, or the exported network computes something else.
    """
    device, ranking = torch.device("cpu"), ranking or study.default_ranking
    model = original(study)
    network = network_at(study, model, budget, ranking=ranking, run=run)
    dataset = _images_or_none(study, report)
    network = recall_statistics(study, network, lambda: _required(dataset), device)
    pruned = network.model
    report(Progress("writing and checking in ONNX Runtime", 0, 1))
    out = study.followed(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with temporary_folder(out / "export") as folder:  # `out` never holds a file that was not checked
            export_onnx(pruned, study.info.input_shape, folder / _ONNX)
            agreement = check_agreement(pruned, folder / _ONNX, _check_batches(study, dataset))
            _require_agreement(agreement)
            facts = _facts(study, network, agreement, dataset is not None, ranking)
            cuts, before = plan(model, study.structure, network.keep), load_cuts(study)
            whole = cuts if before is None else compose(before, cuts)
            write_recipe(
                folder,
                pruned,
                study.info.model,
                study.info.num_classes,
                whole,
                facts.to_dict(),
                metadata=_metadata(study),
            )
            write_text(folder / _README, _readme(study, facts))
            archive = out / f"{study.info.model}-{100 * facts.macs_fraction:.0f}pct.zip"
            files = (_ONNX, WEIGHTS, RECIPE, _README)
            zip_files(folder / archive.name, [folder / file for file in files])
            for file in (*files, archive.name):
                (folder / file).replace(out / file)
    except OSError as error:
        raise ExportError(f"the export cannot be written to {out.name}: {in_words(error)}") from error
    return ExportResult(
        onnx=shown(str(out / _ONNX)),
        weights=shown(str(out / WEIGHTS)),
        recipe=shown(str(out / RECIPE)),
        zip=shown(str(archive)),
        max_abs_diff=agreement.max_abs_diff,
        top1_agreement=agreement.top1_agreement,
        images=agreement.images,
        checked_on=facts.check.images_from,
        finetuned=network.run is not None,
        recalibrated=network.recalibrated,
        calibration=network.calibration.key,
        macs=network.macs,
        macs_fraction=network.macs_fraction,
        params=network.params,
        accuracy=facts.accuracy,
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
        for inputs, _ in iterate(split, study.info.normalization, batch=size, order=order, channels_last=False):
            yield inputs


def _require_agreement(agreement: Agreement) -> None:
    if not (agreement.top1_agreement >= 0.99 and agreement.max_abs_diff < float("inf")):
        raise ExportError(
            f"the exported network agrees with the original on {100 * agreement.top1_agreement:.1f} % of "
            f"{agreement.images} images only (largest difference {agreement.max_abs_diff:.2g}); it is not handed out"
        )


def _facts(study: Study, network: Network, agreement: Agreement, on_images: bool, ranking: RankingName) -> _Facts:
    info, run = study.info, network.run
    known = known_networks(measured_points(study), study.finetuned)
    finetuned = None
    if run:
        settings = asdict(run.settings) if run.settings else {}
        finetuned = {**settings, "top1": run.top1, "top1_before": run.top1_before}
    return _Facts(
        input_shape=info.input_shape,
        classes=info.classes,
        normalization=info.normalization,
        macs=network.macs,
        macs_fraction=network.macs_fraction * (info.pruned_to or 1.0),
        params=network.params,
        ranking=(run.ranking if run else None) or ranking,
        recalibrated=network.recalibrated,
        calibration=network.calibration.key,
        finetuned=finetuned,
        onnx={"file": _ONNX, "input": INPUT, "output": OUTPUT, "batch": "dynamic"},
        check=_Check(
            max_abs_diff=agreement.max_abs_diff,
            top1_agreement=agreement.top1_agreement,
            images=agreement.images,
            images_from=info.data_name if on_images else "noise",
        ),
        accuracy=accuracy_of(known, network.keep_id, network.macs_fraction, run),
    )


def _metadata(study: Study) -> dict[str, str] | None:
    """Header from which a later study knows that these weights never saw its held-out images; None: they may have."""
    info = study.info
    if info.weights_origin != "legr":
        return None
    return {"made_by": "legr", "data": info.data_fingerprint, "split_seed": str(info.split_seed)}


def _readme(study: Study, facts: _Facts) -> str:
    mean, std = (
        ", ".join(f"{v:.5f}" for v in values) for values in (facts.normalization.mean, facts.normalization.std)
    )
    shape, check = "x".join(map(str, facts.input_shape)), facts.check
    share = f"{100 * facts.macs_fraction:.1f} % of that model's multiply-adds"
    heading = filter(None, (f"{study.info.model}, {share}", uncounted_note(study.structure.uncounted)))
    above, images_from = "\n".join(map(on_one_line, heading)), on_one_line(check.images_from)
    return f"""{above}

{_ONNX}             ONNX, input "{INPUT}" float32 (batch, {shape}), output "{OUTPUT}"
{WEIGHTS}      the same weights as plain tensors
{RECIPE}              how to rebuild the PyTorch network: legr.rebuild("recipe.json")

Inputs are images scaled to [0, 1], minus the mean ({mean}), divided by the std ({std}).
{_norms(facts)}
{facts.accuracy.words}
Checked in ONNX Runtime on {check.images} inputs ({images_from}):
same answer as PyTorch on {100 * check.top1_agreement:.2f} %, largest difference {check.max_abs_diff:.2g}.
"""


def _norms(facts: _Facts) -> str:
    if facts.recalibrated:
        return f"Batch norms were recalibrated on {Calibration.of(facts.calibration).words}."
    return "Batch norms have the statistics that came with the weights."
