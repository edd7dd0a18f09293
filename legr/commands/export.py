"""Export the network of a budget, as `evaluate` scores it: ONNX, safetensors and recipe, checked, in one zip."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from legr.commands.images import images_of
from legr.commands.network import Network, at_height_of, network_at
from legr.commands.original import original
from legr.commands.results import ExportResult
from legr.commands.statistics_cache import recall_statistics
from legr.data.batches import iterate
from legr.data.images import Dataset, Split
from legr.data.sizes import scaled_shape
from legr.deploy.bundle import RECIPE, WEIGHTS, write_recipe, zip_files
from legr.deploy.export import INPUT, OUTPUT, Agreement, check_agreement, export_onnx, write_onnx
from legr.deploy.graph import arrays_of, finished
from legr.deploy.handed_out import FILES, ONNX, Check, Facts, OnnxFacts, write_beside
from legr.deploy.onnx_file import OnnxSettings, OnnxVersion, hand_out
from legr.deploy.picture_input import fed, picture_input
from legr.deploy.template import fill
from legr.deploy.template_cache import kept_template
from legr.errors import DataError, ExportError
from legr.escape import on_one_line
from legr.files import in_words, temporary_folder
from legr.held import shown
from legr.progress import Progress, Report
from legr.requests.export import DYNAMIC, ExportRequest
from legr.structure.cost import original_cost, uncounted_note
from legr.structure.plans import compose
from legr.structure.surgery import plan
from legr.study.accuracy import KnownAccuracy, accuracy_at_height, accuracy_of
from legr.study.cuts import load_cuts
from legr.study.known import known_networks, measured_points
from legr.study.records import RankingName
from legr.study.sized import sized_networks
from legr.study.store import Study

CHECK_IMAGES = 1024


def export(study: Study, request: ExportRequest, report: Report) -> ExportResult:
    """Write the network of a budget to a folder; fine-tuned weights of exactly this kept set are used where they exist.

    Without the study's images, the batch norms have the statistics that were chosen before or else those of the
    weights, and the check runs on noise; the result says so.

    Raises:
        SettingsError: the batch is out of range.
        StudyError: there is no such run, or its kept set is lost.
        ExportError: the folder cannot be written, the network cannot be written in that opset, or the exported one
            computes something else.
    """
    device, ranking = torch.device("cpu"), request.ranking or study.default_ranking
    settings, info = OnnxSettings(request.opset, request.images, request.preprocess), study.info
    model = original(study)
    network = network_at(
        study,
        model,
        request.budget,
        ranking=ranking,
        finetuned=request.finetuned,
        run=request.run,
        height=request.size,
    )
    shape = scaled_shape(info.input_shape, network.height)
    dataset = _images_or_none(study, report)
    network = recall_statistics(study, network, lambda: _required(dataset), device)
    pruned = network.model
    report(Progress("writing and checking in ONNX Runtime", 0, 1))
    about = picture_input(
        (INPUT, OUTPUT),
        shape,
        info.classes,
        info.normalization,
        preprocess=settings.preprocess,
        batch=settings.batch,
    )
    out = study.followed(request.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with temporary_folder(out / "export") as folder:  # `out` never holds a file that was not checked
            _write_graph(study, model, network, shape, folder / ONNX)
            version = hand_out(folder / ONNX, settings, info.normalization, about)
            scaled = at_height_of(network, dataset) if dataset else None
            agreement = check_agreement(pruned, folder / ONNX, _check_batches(study, shape, scaled, settings))
            _require_agreement(agreement)
            onnx = _onnx_facts(settings, version)
            facts = _facts(study, network, onnx, _check(study, agreement, dataset), request)
            cuts, before = plan(model, study.structure, network.keep), load_cuts(study)
            whole = cuts if before is None else compose(before, cuts)
            write_recipe(
                folder, pruned, info.model, info.num_classes, whole, facts.to_dict(), metadata=_metadata(study)
            )
            write_beside(folder, _heading(study, facts), facts, about)
            archive = out / f"{info.model}-{100 * facts.macs_fraction:.0f}pct.zip"
            zip_files(folder / archive.name, [folder / file for file in FILES])
            for file in (*FILES, archive.name):
                (folder / file).replace(out / file)
    except OSError as error:
        raise ExportError(f"the export cannot be written to {out.name}: {in_words(error)}") from error
    return ExportResult(
        onnx=shown(str(out / ONNX)),
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
        opset=onnx.opset,
        ir=onnx.ir,
        batch=str(onnx.batch),
        preprocess=onnx.preprocess,
        supernet=network.supernet_key,
        network=network.keep_id,
        run=network.run.key if network.run else "",
    )


def _write_graph(study: Study, model: nn.Module, network: Network, shape: tuple[int, int, int], path: Path) -> None:
    """Write the graph that an export gives, from the original's one where it is kept: that takes no export."""
    template = kept_template(model, study.structure, shape)
    if template is None:
        export_onnx(network.model, shape, path)
    else:
        write_onnx(finished(fill(template, network.keep, arrays_of(network.model))), path)


def _required(dataset: Dataset | None) -> Dataset:
    if dataset is None:
        raise DataError("the images of this study are not here")
    return dataset


def _images_or_none(study: Study, report: Report) -> Dataset | None:
    try:
        return images_of(study, report)
    except DataError:
        return None


def _check_batches(
    study: Study, shape: tuple[int, int, int], dataset: Dataset | None, settings: OnnxSettings
) -> Iterator[tuple[Tensor, NDArray[np.generic]]]:
    """At least 1,000 inputs, for the network and for the file: test images first, then training images where a set is
    small; noise without images."""
    info, left = study.info, CHECK_IMAGES
    size = max(8, 64 * 1024 // (shape[1] * shape[2]))
    splits = (dataset.test, dataset.train) if dataset else (_noise(shape),)
    for split in splits:
        order = torch.arange(min(left, len(split)))
        if not len(order):  # of which torch makes a batch without images
            continue
        left -= len(order)
        batches = iterate(split, info.normalization, batch=size, order=order, channels_last=False)
        for images, (inputs, _) in zip(split.images[: len(order)].split(size), batches, strict=True):
            yield inputs, fed(images.cpu().numpy(), inputs.numpy(), settings.preprocess)


def _noise(shape: tuple[int, int, int]) -> Split:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (CHECK_IMAGES, *shape), dtype=torch.uint8, generator=generator)
    return Split(images, torch.zeros(CHECK_IMAGES, dtype=torch.int64))


def _require_agreement(agreement: Agreement) -> None:
    if not (agreement.top1_agreement >= 0.99 and agreement.max_abs_diff < float("inf")):
        raise ExportError(
            f"the exported network agrees with the original on {100 * agreement.top1_agreement:.1f} % of "
            f"{agreement.images} images only (largest difference {agreement.max_abs_diff:.2g}); it is not handed out"
        )


def _onnx_facts(settings: OnnxSettings, version: OnnxVersion) -> OnnxFacts:
    return OnnxFacts(
        file=ONNX,
        input=INPUT,
        output=OUTPUT,
        batch=settings.batch or DYNAMIC,
        opset=version.opset,
        ir=version.ir,
        preprocess=settings.preprocess,
    )


def _check(study: Study, agreement: Agreement, dataset: Dataset | None) -> Check:
    return Check(
        max_abs_diff=agreement.max_abs_diff,
        top1_agreement=agreement.top1_agreement,
        images=agreement.images,
        images_from=study.info.data_name if dataset else "noise",
    )


def _facts(study: Study, network: Network, onnx: OnnxFacts, check: Check, request: ExportRequest) -> Facts:
    info, run = study.info, network.run
    ranking = (
        (run.ranking if run else None)
        or (network.supernet.ranking if network.supernet else None)
        or request.ranking
        or study.default_ranking
    )
    finetuned = None
    if run:
        settings = run.settings.to_dict() if run.settings else {}
        begun = {"supernet": run.supernet} if run.supernet else {}
        finetuned = {**settings, "top1": run.top1, "top1_before": run.top1_before, **begun}
    return Facts(
        input_shape=scaled_shape(info.input_shape, network.height),
        classes=info.classes,
        normalization=info.normalization,
        macs=network.macs,
        macs_fraction=network.macs / original_cost(study.structure).macs * (info.pruned_to or 1.0),
        params=network.params,
        ranking=ranking,
        recalibrated=network.recalibrated,
        calibration=network.calibration.key,
        finetuned=finetuned,
        onnx=onnx,
        check=check,
        accuracy=_accuracy(study, network, ranking),
    )


def _accuracy(study: Study, network: Network, ranking: RankingName) -> KnownAccuracy:
    """What is known of the network with images of its height."""
    if network.height is not None:
        sized = sized_networks(study)
        return accuracy_at_height(sized, network.keep_id, network.macs_fraction, network.trained_by, network.height)
    known = known_networks(measured_points(study), study.finetuned)
    return accuracy_of(known, network.keep_id, network.macs_fraction, network.trained_by, ranking)


def _metadata(study: Study) -> dict[str, str] | None:
    """Header from which a later study knows that these weights never saw its held-out images; None: they may have."""
    info = study.info
    if info.weights_origin != "legr":
        return None
    return {"made_by": "legr", "data": info.data_fingerprint, "split_seed": str(info.split_seed)}


def _heading(study: Study, facts: Facts) -> str:
    share = f"{100 * facts.macs_fraction:.1f} % of that model's multiply-adds"
    lines = filter(None, (f"{study.info.model}, {share}", uncounted_note(study.structure.uncounted)))
    return "\n".join(map(on_one_line, lines))
