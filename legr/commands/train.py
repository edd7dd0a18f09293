"""Train a network, from scratch or from given weights, and write its weights with all that says how they were made.

It does not know studies or the command line.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch
from filelock import FileLock, Timeout

from legr.arguments import arguments_of, repeated
from legr.commands.network import data_progress, require_answers, require_normalization
from legr.commands.provenance import made_of, origin_of, provenance_of
from legr.commands.results import TrainResult
from legr.data.encoded import ImageShape
from legr.data.load import load_dataset
from legr.data.normalization import IMAGENET_NORMALIZATION
from legr.errors import SettingsError, WeightsError
from legr.models.weights import load_weights, round_to_half, save_weights
from legr.models.zoo import ModelSpec, build_model
from legr.paths import cache_folder
from legr.progress import Report
from legr.training.evaluate import evaluate_split
from legr.training.settings import NUMBERS, SCRATCH, TrainSettings
from legr.training.train import train


def train_weights(
    out: Path,
    spec: ModelSpec,
    data: str,
    normalize: str | None,
    settings: TrainSettings,
    device: torch.device,
    report: Report,
    *,
    split_seed: int = 0,
    input_shape: ImageShape | None = None,
    first: Path | None = None,
    half: bool = False,
) -> TrainResult:
    """Train on the training images less the held-out ones; goes on where an earlier call was stopped.

    Args:
        out: the weights, `.safetensors`; their header holds what this returns, and from what they were made.
        normalize: "imagenet" or "dataset"; None is "dataset".
        first: weights to begin with, for another cycle; None are random ones, drawn with the settings' seed.
        half: round the weights to what float16 holds before test images judge them, and store them so.

    Raises:
        SettingsError: see the parts.
        WeightsError: the file is there already, is being trained by another process, or cannot be written.
    """
    if out.suffix != ".safetensors":
        raise WeightsError(f"weights are written as .safetensors, got {out.name}: change the suffix")
    shape = input_shape or spec.input_shape
    require_normalization(normalize, shape)
    if spec.dense:
        raise SettingsError(f"training needs one answer an image, and {spec.name} answers for every place of it")
    with _alone(out):
        if out.exists():
            raise WeightsError(f"{out} is there already; choose another file, or remove it to train again")
        progress = data_progress(report)
        dataset = load_dataset(data, shape, split_seed=split_seed, download=True, progress=progress)
        normalization = IMAGENET_NORMALIZATION if normalize == "imagenet" else dataset.statistics()
        what = {
            "model": spec.name,
            "data": dataset.fingerprint,
            "split_seed": split_seed,
            "input_shape": shape,
            "normalization": normalization.kind,
            "settings": asdict(settings),
        }
        command = _command(out, what, dataset.name, settings, first, half)
        model = build_model(spec, len(dataset.classes), seed=settings.seed)
        require_answers(model, torch.zeros(1, *shape), len(dataset.classes))
        info = load_weights(model, first) if first else None
        if info:
            what["first"] = {"weights_sha256": info.sha256, "made": made_of(info)}
        checkpoint = out.with_name(f"{out.stem}-{_digest(what)}.checkpoint.safetensors")
        result = train(
            model, None, dataset, normalization, settings, device=device, checkpoint=checkpoint, report=report
        )
        if half:
            round_to_half(result.model)
        test = evaluate_split(result.model, dataset.test, normalization, device=device)
        trained = TrainResult(
            top1=test.top1,
            loss=test.finite_loss,
            heldout_top1=result.curve[result.best_epoch]["heldout_top1"],
            best_epoch=result.best_epoch + 1,
            settings=settings,
            provenance=provenance_of(command, sum(row["seconds"] for row in result.curve), device, settings.seed),
        )
        metadata = {"made_by": "legr", "data": dataset.fingerprint, "made": json.dumps({**what, **trained.to_dict()})}
        if info is None or origin_of(info, dataset.fingerprint, split_seed) == "legr":
            metadata["split_seed"] = str(split_seed)  # no held-out image was ever trained on
        save_weights(result.model, out, metadata, half=half)
        checkpoint.unlink(missing_ok=True)
        return trained


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Be the only one who trains for a file, whose checkpoint two would overwrite in turns.

    Raises:
        WeightsError: another process does, or nothing can be written there.
    """
    name = hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:16]
    lock = FileLock(cache_folder() / "locks" / f"train-{name}.lock")  # stays there: two could hold one that is removed
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out.parent):  # hours of training must not end in a folder that is read-only
            pass
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise WeightsError(
            f"{out.name} is being trained by another process; wait until that has ended, or choose another file"
        ) from None
    except OSError as error:
        raise WeightsError(f"cannot write {out} ({error}): free space or choose another folder") from error
    try:
        yield
    finally:
        lock.release()


def _command(
    out: Path, what: dict[str, Any], data: str, settings: TrainSettings, first: Path | None, half: bool
) -> list[str]:
    usual, wanted = asdict(SCRATCH), asdict(settings)
    numbers = [f"{name}={wanted[name]!r}" for name in NUMBERS if wanted[name] != usual[name]]
    flags = repeated("--option", numbers) + (["--half"] if half else [])
    options = {"model": what["model"], "data": data, "normalize": what["normalization"], "epochs": settings.epochs}
    shape = "x".join(map(str, (1, *what["input_shape"])))
    options |= {"weights": first and first.name}
    options |= {"input": shape, "seed": settings.seed, "split-seed": what["split_seed"]}
    return ["train", "--out", out.name, *arguments_of(options, flags)]


def _digest(what: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:10]
