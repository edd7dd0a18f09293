"""Train a network, from scratch or from given weights, and write its weights with all that decided them."""

import glob
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import nn

from legr.commands.checks import require_class_outputs, require_normalization
from legr.commands.provenance import origin_of, provenance_of, stated_training
from legr.commands.results import TrainResult
from legr.data.encoded import ImageShape
from legr.data.images import Dataset
from legr.data.load import load_dataset
from legr.data.normalization import IMAGENET_NORMALIZATION, Normalization
from legr.errors import SettingsError, WeightsError
from legr.models.weights import WeightsInfo, load_weights, round_to_half, save_weights
from legr.models.zoo import ModelSpec, build_model
from legr.paths import cache_folder
from legr.progress import Report
from legr.record import Record
from legr.requests.train import TrainRequest
from legr.schema import SchemaError
from legr.training.evaluate import evaluate_split
from legr.training.settings import NUMBERS, SCRATCH, TrainSettings
from legr.training.train import train

_CHECKPOINT = ".checkpoint.safetensors"


@dataclass(frozen=True)
class TrainTask:
    """What is trained, on which images, and how.

    Attributes:
        out: file for the weights, `.safetensors`.
        data: "digits", "cifar10" or "cifar100" (downloaded if missing), or a folder.
        normalize: "imagenet" or "dataset"; None is "dataset".
        split_seed: decides which training images are held out.
        input_shape: channels, height, width of the images; None is what the model was designed for.
        first: weights to begin with, for another cycle; None are random ones, drawn with the settings' seed.
        half: round the weights to float16 before test images judge them, and store them so.
    """

    out: Path
    spec: ModelSpec
    data: str
    settings: TrainSettings
    normalize: str | None = None
    split_seed: int = 0
    input_shape: ImageShape | None = None
    first: Path | None = None
    half: bool = False

    @property
    def shape(self) -> ImageShape:
        """Channels, height, width of the images."""
        return self.input_shape or self.spec.input_shape


@dataclass(frozen=True)
class _Facts(Record):
    """What decides the trained weights: it names their checkpoint, and stands in their header."""

    model: str
    data: str  # fingerprint
    split_seed: int
    input_shape: ImageShape
    normalization: str
    settings: TrainSettings
    first: Mapping[str, Any] | None  # of the weights to begin with: name and the header's record of their training

    def to_dict(self) -> dict[str, Any]:
        data = super().to_dict()
        return data if self.first else {name: value for name, value in data.items() if name != "first"}

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:10]


def train_weights(task: TrainTask, device: torch.device, report: Report) -> TrainResult:
    """Train on the training images less the held-out ones; goes on where an earlier call was stopped.

    The header of the written weights holds the result, and all that decided it. Where an earlier call was killed with
    the weights written and its checkpoint still there, the checkpoint goes, and that result is returned.

    Raises:
        SettingsError: see the parts.
        WeightsError: the file is there already, is being trained by another process, or cannot be written.
    """
    out, settings = task.out, task.settings
    require_trainable(task)
    with alone(out):
        if out.exists() and not any(out.parent.glob(f"{glob.escape(out.stem)}-*{_CHECKPOINT}")):
            raise is_there(out)
        dataset, normalization, model, first = loaded(task, report)
        facts = _facts(task, dataset, normalization, first)
        checkpoint = out.with_name(f"{out.stem}-{facts.digest}{_CHECKPOINT}")
        if out.exists():
            result = _result_in(load_weights(model, out), facts, _command(task, facts, dataset.name))
            if result is None or not checkpoint.exists():
                raise is_there(out)
            checkpoint.unlink()
            return result
        trained = train(
            model, None, dataset, normalization, settings, device=device, checkpoint=checkpoint, report=report
        )
        if task.half:
            round_to_half(trained.model)
        test = evaluate_split(trained.model, dataset.test, normalization, device=device)
        seconds = sum(epoch["seconds"] for epoch in trained.curve)
        result = TrainResult(
            top1=test.top1,
            loss=test.finite_loss,
            heldout_top1=trained.curve[trained.best_epoch]["heldout_top1"],
            best_epoch=trained.best_epoch + 1,
            settings=settings,
            provenance=provenance_of(_command(task, facts, dataset.name), seconds, device, settings.seed),
        )
        made = json.dumps({**facts.to_dict(), **result.to_dict()})
        header = {"made_by": "legr", "data": dataset.fingerprint, "made": made}
        if saw_no_heldout(first, dataset, task.split_seed):
            header["split_seed"] = str(task.split_seed)
        save_weights(trained.model, out, header, half=task.half)
        checkpoint.unlink(missing_ok=True)
        return result


def require_trainable(task: TrainTask) -> None:
    """Refuse a task that cannot be trained.

    Raises:
        SettingsError: images are of another shape than the normalization's, or the network has no classes.
        WeightsError: the file has another suffix.
    """
    if task.out.suffix != ".safetensors":
        raise WeightsError(f"weights are written as .safetensors, got {task.out.name}: change the suffix")
    require_normalization(task.normalize, task.shape)
    if task.spec.dense:
        raise SettingsError(f"training needs one answer an image, and {task.spec.name} answers for every place of it")


def loaded(task: TrainTask, report: Report) -> tuple[Dataset, Normalization, nn.Module, WeightsInfo | None]:
    """Load images and a network with the weights to begin with; the last is None where those are random."""
    dataset = load_dataset(task.data, task.shape, split_seed=task.split_seed, download=True, report=report)
    normalization = IMAGENET_NORMALIZATION if task.normalize == "imagenet" else dataset.statistics()
    model = build_model(task.spec, len(dataset.classes), seed=task.settings.seed)
    require_class_outputs(model, torch.zeros(1, *task.shape), len(dataset.classes))
    return dataset, normalization, model, load_weights(model, task.first) if task.first else None


def is_there(out: Path) -> WeightsError:
    """The error of a file that is there before it is trained."""
    return WeightsError(f"{out} is there already; choose another file, or remove it to train again")


def _result_in(weights: WeightsInfo, facts: _Facts, command: Sequence[str]) -> TrainResult | None:
    """The result in the header of weights that the same task has written; None in that of others."""
    made = stated_training(weights) or {}
    try:
        result = TrainResult.from_dict({**made, "provenance": made})
    except SchemaError:
        return None
    stored = json.loads(json.dumps(facts.to_dict()))
    same = stored.items() <= made.items() and result.provenance.words[-len(command) :] == [*command]
    return result if same else None


def _facts(task: TrainTask, dataset: Dataset, normalization: Normalization, first: WeightsInfo | None) -> _Facts:
    return _Facts(
        model=task.spec.name,
        data=dataset.fingerprint,
        split_seed=task.split_seed,
        input_shape=task.shape,
        normalization=normalization.kind,
        settings=task.settings,
        first={"weights_sha256": first.sha256, "made": stated_training(first)} if first else None,
    )


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Let one process at a time train for a file: two would overwrite each other's checkpoint.

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


def _command(task: TrainTask, facts: _Facts, data: str) -> list[str]:
    return ["train", *stated(task, data, facts.normalization).full_arguments()]


def stated(task: TrainTask, data: str, normalization: str) -> TrainRequest:
    """The request that trains these weights again; no path is stored.

    Args:
        data: name of the images.
        normalization: its kind.
    """
    settings = asdict(task.settings)
    return TrainRequest(
        out=Path(task.out.name),
        model=task.spec.name,
        data=data,
        normalize=normalization,
        input="x".join(map(str, (1, *task.shape))),
        epochs=task.settings.epochs,
        seed=task.settings.seed,
        options={name: settings[name] for name in NUMBERS if settings[name] != asdict(SCRATCH)[name]},
        split_seed=task.split_seed,
        weights=task.first and Path(task.first.name),
        half=task.half,
    )


def saw_no_heldout(first: WeightsInfo | None, dataset: Dataset, split_seed: int) -> bool:
    """Whether weights that a training begins with never saw its held-out images; None are random ones."""
    return first is None or origin_of(first, dataset.fingerprint, split_seed) == "legr"
