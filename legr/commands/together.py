"""Train a network from scratch, and the networks of all budgets with it once its structures are found."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
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
from legr.commands.train import TrainTask, alone, is_there, loaded, require_trainable, saw_no_heldout, stated
from legr.errors import SettingsError
from legr.models.weights import hash_state, load_weights, save_weights
from legr.progress import Progress, Report
from legr.requests.learn import LearnRequest
from legr.structure.tracing.trace import trace
from legr.study.folder import INFO
from legr.study.making import require_place
from legr.study.store import Study
from legr.study.supernets import supernet_of, weights_path
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
    """

    training: TrainTask
    study: Path
    smallest: float
    alike: float

    @property
    def early(self) -> Path:
        """File of the weights that the structures were found with."""
        return self._beside("early.safetensors")

    @property
    def looks(self) -> Path:
        """File of the rankings between epochs."""
        return self._beside("looks.json")

    @property
    def checkpoint(self) -> Path:
        """File of the training that finds them."""
        return self._beside("checkpoint.safetensors")

    @property
    def making(self) -> Path:
        """Folder of the study before it is complete: no list of studies shows it."""
        return self.study.with_name(f".{self.study.name}-{self._digest}") / self.study.name

    def supernet(self, epochs: int) -> SupernetSettings:
        """How the networks are trained together, which have no teacher but the whole one."""
        given, usual = self.training.settings, SupernetSettings()
        return replace(
            usual,
            epochs=epochs,
            lr=given.lr / 2,  # the rate has passed its top by then
            weight_decay=given.weight_decay,
            momentum=given.momentum,
            batch=given.batch,
            smoothing=given.smoothing,
            clip=given.clip,
            average=given.average or usual.average,
            seed=given.seed,
            smallest=self.smallest,
            distill=False,
        )

    @property
    def _digest(self) -> str:
        """Names what another task must not take up."""
        training = self.training
        first = hashlib.sha256(training.first.read_bytes()).hexdigest() if training.first else None
        facts = (
            *(training.spec.name, training.data, training.normalize, training.split_seed, training.shape, first),
            *(training.half, training.settings.to_dict(), self.smallest, self.alike),
        )
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:10]

    def _beside(self, ending: str) -> Path:
        return self.training.out.with_name(f"{self.training.out.stem}-{self._digest}-{ending}")


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
        StudyError: there is a study in that folder already.
        WeightsError: the file of weights is there already.
    """
    training, epochs = task.training, task.training.settings.epochs
    require_trainable(training)
    if epochs < _LEAST:
        raise SettingsError(f"--epochs must be {_LEAST} or more with --supernet, got {epochs}; raise it")
    with alone(training.out):
        if training.out.exists() and not task.making.exists():  # else it was killed as it wrote the last files
            raise is_there(training.out)
        require_place(task.study)
        if not task.early.exists():
            _find_structures(task, device, report)
        looks = read_looks(task.looks)
        study = _study(task, report)
        run_learn(study, search_task(study, _learning()), device, report)
        settings = task.supernet(epochs - looks[-1].epoch)
        together = run_supernet(study, settings, device, report, ranking="learned", half=training.half)
        network, header = _whole(study, task, device, report)
        _adopt(study, network, header)
        save_weights(network, training.out, header, half=True)
        study.path.rename(task.study)
        task.making.parent.rmdir()
        for path in (task.checkpoint, task.early, task.looks):
            path.unlink(missing_ok=True)
    similarities = tuple(look.similarity for look in looks if look.similarity is not None)
    weights = str(weights_path(Study.open(task.study), Path(together.weights).stem))
    return TogetherResult(together.points[0].top1, looks[-1].epoch, similarities, replace(together, weights=weights))


def _find_structures(task: TogetherTask, device: torch.device, report: Report) -> None:
    """The first part; its weights are written last."""
    training = task.training
    dataset, normalization, model, first = loaded(training, report)
    structure = trace(model.eval(), torch.zeros(1, *training.shape))
    watch = StructureWatch(structure, dataset, normalization, device, alike=task.alike, path=task.looks)
    header = {"made_by": "legr", "data": dataset.fingerprint}
    if saw_no_heldout(first, dataset, training.split_seed):
        header["split_seed"] = str(training.split_seed)
    seconds: list[float] = []

    def noting(progress: Progress) -> None:
        """Sum up what epochs took, those before a kill included: they are reported again."""
        values = progress.values
        if isinstance(values, Mapping) and "seconds" in values:
            seconds.append(float(values["seconds"]))
            header["seconds"] = f"{sum(seconds):.1f}"
        report(progress)

    run = Run(None, dataset, normalization, training.settings, device, task.checkpoint, noting)
    network = copied(model, device, restart=bool(training.settings.restart_norms))
    with suppress(_FoundError):
        fit(network, _Watched(network, run, watch, task.early, header), run)


def _learning() -> LearnRequest:
    return LearnRequest(cost="macs", blocks=False, candidates=_PASSES)


def _study(task: TogetherTask, report: Report) -> Study:
    """The study of the early weights; one that an earlier call has made is taken."""
    training = task.training
    if (task.making / INFO).exists():
        return Study.open(task.making)
    images = ImageSource(training.data, training.normalize or "dataset", training.split_seed, training.input_shape)
    return create(task.making, NetworkSource(training.spec, task.early), images, report, multiple=None)


def _whole(study: Study, task: TogetherTask, device: torch.device, report: Report) -> tuple[nn.Module, dict[str, str]]:
    """The whole network of a study's supernet, recalibrated, and what the header of its weights says."""
    run, dataset = supernet_of(study, "learned"), images_of(study, report)
    assert run is not None
    architecture = untrained(study, study.info.num_classes)
    early = load_weights(architecture, task.early).metadata
    whole = load_supernet(study, architecture, run).network
    calibration = calibration_of(study, dataset, device, report)
    network = recalibrated(whole, dataset, study.info.normalization, device=device, calibration=calibration)
    training = task.training
    request = stated(training, dataset.name, study.info.normalization.kind)
    request = replace(request, supernet=Path(task.study.name), smallest=task.smallest, alike=task.alike)
    seconds = float(early.get("seconds", 0)) + run.seconds
    made = provenance_of(["train", *request.full_arguments()], seconds, device, training.settings.seed)
    known: dict[str, str] = {name: early[name] for name in ("made_by", "data", "split_seed") if name in early}
    return network, {**known, "made": json.dumps(made.to_dict())}


def _adopt(study: Study, network: nn.Module, header: Mapping[str, str]) -> None:
    """Make a network the original of a study that is about to be moved to its place."""
    save_weights(network, study.weights_path, header, half=True)
    score = heldout_score(network, images_of(study), study.info.normalization)
    study.with_info(weights_sha256=hash_state(network.state_dict()), heldout=score)
