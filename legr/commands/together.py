"""Train a network from scratch, and the networks of all budgets with it once its structures are found."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from legr.commands.calibration import calibration_of
from legr.commands.create import ImageSource, NetworkSource, create, heldout_score
from legr.commands.images import images_of
from legr.commands.learn import run_learn, search_task
from legr.commands.network import load_supernet
from legr.commands.original import untrained
from legr.commands.provenance import provenance_of
from legr.commands.results import TogetherResult
from legr.commands.structures import StructureWatch, read_looks
from legr.commands.supernet import run_supernet
from legr.commands.train import TrainTask, alone, is_there, loaded, require_trainable
from legr.errors import SettingsError, StudyError
from legr.models.weights import hash_state, load_weights, save_weights
from legr.progress import Report
from legr.requests.learn import LearnRequest
from legr.structure.tracing.trace import trace
from legr.study.folder import INFO
from legr.study.making import require_place
from legr.study.store import Study
from legr.study.supernets import supernet_of
from legr.training.batch_norm import recalibrated
from legr.training.supernet_settings import SupernetSettings
from legr.training.train import OneNetwork, Run, copied, fit

_PASSES: int | None = None  # of the search for the study's ranking; None: as many as are usual
_LEAST = 4  # epochs: two to compare structures, two for all networks


@dataclass(frozen=True)
class TogetherTask:
    """A network that is trained from scratch with those of all budgets.

    Attributes:
        training: of the whole network; its epochs are those of both parts.
        study: folder for the study that comes of it.
        smallest: fraction of MACs of the smallest network.
        alike: cosine of successive kept sets from which on structures are taken as found.
        command: what the user typed.
    """

    training: TrainTask
    study: Path
    smallest: float
    alike: float
    command: tuple[str, ...]

    @property
    def early(self) -> Path:
        """File of the weights that the structures were found with."""
        return self.training.out.with_name(f"{self.training.out.stem}-early.safetensors")

    @property
    def looks(self) -> Path:
        """File of the rankings between epochs."""
        return self.early.with_suffix(".json")

    @property
    def checkpoint(self) -> Path:
        """File of the training that finds them."""
        return self.early.with_name(f"{self.early.stem}.checkpoint.safetensors")

    def header(self, data: str) -> dict[str, str]:
        """What files of weights say: no held-out image was trained on.

        Args:
            data: fingerprint of the images.
        """
        return {"made_by": "legr", "data": data, "split_seed": str(self.training.split_seed)}

    def supernet(self, epochs: int) -> SupernetSettings:
        """How the networks are trained together, which have no teacher but the whole one."""
        given = self.training.settings
        return SupernetSettings(
            epochs=epochs,
            lr=given.lr / 2,  # the rate has passed its top by then
            weight_decay=given.weight_decay,
            momentum=given.momentum,
            batch=given.batch,
            seed=given.seed,
            smallest=self.smallest,
            distill=False,
        )


class _FoundError(Exception):
    """Structures stay alike: the first part of a training ends here."""


@dataclass(frozen=True)
class _Watched(OneNetwork):
    """Trains one network until its structures stay alike, at most for half of the epochs."""

    watch: StructureWatch
    early: Path
    header: Mapping[str, str]

    def begin_epoch(self, epoch: int, network: nn.Module) -> None:
        if epoch and (self.watch.stands(epoch, network) or epoch >= self.run.settings.epochs // 2):
            save_weights(network, self.early, self.header)
            raise _FoundError


def train_together(task: TogetherTask, device: torch.device, report: Report) -> TogetherResult:
    """Train a network and those of all budgets; goes on where an earlier call was stopped.

    The whole network is trained by itself at first. Before each epoch its ranking is learned by gradient; where its
    networks stay alike, or half of the epochs have passed, a study is made of it, its ranking is learned as usual, and
    the networks of all budgets are trained together for the epochs that are left. The whole one is the study's
    original in the end; the norms that it is ranked by stay those of the moment when the structures were found.

    Raises:
        SettingsError: there are too few epochs for two parts.
        StudyError: there is another study in that folder.
        WeightsError: the file of weights is there already.
    """
    training, epochs = task.training, task.training.settings.epochs
    require_trainable(training)
    if epochs < _LEAST:
        raise SettingsError(f"--epochs must be {_LEAST} or more with --supernet, got {epochs}; raise it")
    with alone(training.out):
        if training.out.exists():
            raise is_there(training.out)
        if not task.early.exists():
            require_place(task.study)
            _find_structures(task, device, report)
        looks = read_looks(task.looks)
        study = _study(task, report)
        run_learn(
            study,
            search_task(study, LearnRequest(cost="macs", blocks=False, candidates=_PASSES)),
            device,
            report,
        )
        settings = task.supernet(epochs - looks[-1].epoch)
        together = run_supernet(study, settings, device, report, ranking="learned", half=training.half)
        _adopt(study, task, device, report)
        for path in (task.checkpoint, task.early, task.looks):
            path.unlink(missing_ok=True)
    similarities = tuple(look.similarity for look in looks if look.similarity is not None)
    return TogetherResult(together.points[0].top1, looks[-1].epoch, similarities, together)


def _find_structures(task: TogetherTask, device: torch.device, report: Report) -> None:
    """The first part; its weights are written last."""
    training = task.training
    dataset, normalization, model, _ = loaded(training, report)
    structure = trace(model.eval(), torch.zeros(1, *training.shape))
    watch = StructureWatch(structure, dataset, normalization, device, alike=task.alike, path=task.looks)
    run = Run(None, dataset, normalization, training.settings, device, task.checkpoint, report)
    network = copied(model, device)
    with suppress(_FoundError):
        fit(network, _Watched(network, run, watch, task.early, task.header(dataset.fingerprint)), run)


def _study(task: TogetherTask, report: Report) -> Study:
    """The study of the early weights; one that an earlier call has made is taken.

    Raises:
        StudyError: it is another study.
    """
    training = task.training
    if not (task.study / INFO).exists():
        images = ImageSource(training.data, training.normalize or "dataset", training.split_seed, training.input_shape)
        return create(task.study, NetworkSource(training.spec, task.early), images, report, multiple=None)
    study = Study.open(task.study)
    model = untrained(study, study.info.num_classes)
    if load_weights(model, task.early).sha256 != study.info.weights_sha256 and supernet_of(study, "learned") is None:
        raise StudyError(f"{task.study} holds another study; choose another folder")
    return study


def _adopt(study: Study, task: TogetherTask, device: torch.device, report: Report) -> None:
    """Make the whole network of its supernet the original of a study; write it to a file as well, which comes last."""
    run, dataset = supernet_of(study, "learned"), images_of(study, report)
    assert run is not None
    whole = load_supernet(study, untrained(study, study.info.num_classes), run).network
    calibration = calibration_of(study, dataset, device, report)
    network = recalibrated(whole, dataset, study.info.normalization, device=device, calibration=calibration)
    made = provenance_of(task.command, run.seconds, device, task.training.settings.seed)
    header = {**task.header(dataset.fingerprint), "made": json.dumps(made.to_dict())}
    save_weights(network, study.weights_path, header, half=True)
    score = heldout_score(network, dataset, study.info.normalization)
    study.with_info(weights_sha256=hash_state(network.state_dict()), heldout=score)
    save_weights(network, task.training.out, header, half=True)
