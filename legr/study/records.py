"""The records of a study: what it is about, what was learned, what was measured, what was fine-tuned."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

from legr.data.normalization import Normalization
from legr.errors import SettingsError
from legr.ranking.limits import Budget
from legr.ranking.types import Affine
from legr.record import Record, stored
from legr.study.provenance import UNKNOWN, Provenance
from legr.training.settings import Statistics, TrainSettings

#: Efforts by name for each method of a search, in passes over the held-out images.
EFFORTS: Mapping[str, Mapping[str, int]] = {
    "gradient": {"Quick": 30, "Standard": 60, "Thorough": 180},
    "evolution": {"Quick": 100, "Standard": 400, "Thorough": 1600},
}
RankingName = Literal["learned", "identity", "uniform"]
PointRanking = RankingName | Literal["original"]
RANKINGS: tuple[RankingName, ...] = ("learned", "identity", "uniform")


@dataclass(frozen=True)
class StudyInfo(Record):
    """What a study is about; written once (`study.json`). No path of a machine is ever in it."""

    name: str
    model: str
    num_classes: int
    input_shape: tuple[int, int, int] = field(metadata=stored(read=tuple))  # channels, height, width
    weights_sha256: str
    weights_origin: Literal["legr", "elsewhere", "none"]  # elsewhere: may have been trained on held-out images
    data_name: str
    data_fingerprint: str
    classes: tuple[str, ...] = field(metadata=stored(read=tuple))  # that the network predicts
    split_seed: int
    normalization: Normalization = field(metadata=stored(read=Normalization.from_dict))
    self_check: float  # largest relative error of zeroed = removed
    created: str
    sample: bool = False
    pruned_to: float | None = None  # MACs of its original as a fraction of the model's that this was cut from before
    #: Of the images, where the network predicts only some of them.
    all_classes: tuple[str, ...] = field(default=(), metadata=stored(read=tuple))


@dataclass(frozen=True)
class SearchSettings(Record):
    """How a ranking is searched for; the effort is not in it, so that a search can be extended."""

    method: str = "gradient"
    #: Fractions of MACs that candidates are scored at; () is the whole slider.
    budgets: tuple[float, ...] = field(default=(), metadata=stored(read=tuple))
    images: int = 2000  # held-out images that a network is scored on
    seed: int = 0
    statistics: Statistics = "batch"  # of the batch norms while scoring
    sgd_steps: int = field(default=0, metadata=stored("steps"))  # before a network is scored
    options: Mapping[str, float] = field(default_factory=dict)  # of the method

    @property
    def key(self) -> str:
        """A short name: searches of the same settings are one search."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return f"{self.method}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Learned(Record):
    """A learned ranking (`ranking.json`): the affine map of every layer, and how it was found."""

    layers: tuple[str, ...] = field(metadata=stored(read=tuple))
    alpha: tuple[float, ...] = field(metadata=stored(read=tuple))
    kappa: tuple[float, ...] = field(metadata=stored(read=tuple))
    settings: SearchSettings = field(metadata=stored(read=SearchSettings.from_dict))
    candidates: int
    best_candidate: int
    identity_loss: float
    best_loss: float
    best_losses: tuple[float, ...] = field(metadata=stored("trace", tuple))  # so far, after each candidate
    passes_spent: tuple[float, ...] = field(metadata=stored("spent", tuple))  # in all, after each candidate
    seconds: float
    heldout_seen: bool  # the weights may have been trained on the held-out images
    settled: bool = False  # more effort would change nothing
    provenance: Provenance = field(default=UNKNOWN, metadata=stored("made", Provenance.from_dict))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a record; raises ValueError where an earlier version wrote it in another form."""
        if "spent" not in data:
            raise ValueError("an earlier version learned it; remove it and learn again")
        if not 0 < len(data["trace"]) == len(data["spent"]):
            raise ValueError("trace and spent differ in length")
        return super().from_dict(data)

    @property
    def affine(self) -> Affine:
        """The map as arrays."""
        return Affine.of(self.alpha, self.kappa)


@dataclass(frozen=True)
class Conditions:
    """Where a latency was taken; latencies of different conditions cannot be compared."""

    runtime: str  # such as "PyTorch 2.14.1"
    device: str
    threads: int
    batch: int
    machine: str = ""  # name of the processor or accelerator; "" where an earlier version measured

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'s' if self.threads != 1 else ''}"
        return f"{self.runtime}, {self.machine or self.device}, {threads}, batch {self.batch}"


@dataclass(frozen=True)
class Latency(Record):
    """Time of one forward pass, median of repeated runs after warm-up, and where it was taken (see `Conditions`)."""

    milliseconds: float
    runtime: str
    device: str
    threads: int
    batch: int
    machine: str = ""
    #: Other programs were using the cores: the time is too long.
    contended: bool = field(default=False, metadata=stored("hindered"))

    @property
    def conditions(self) -> Conditions:
        """All but the time."""
        return Conditions(self.runtime, self.device, self.threads, self.batch, self.machine)


def _optional_latency(data: Mapping[str, Any] | None) -> Latency | None:
    return Latency.from_dict(data) if data else None


def _train_settings(data: Mapping[str, Any]) -> TrainSettings | None:
    """Settings of a run; None where another version had others."""
    try:
        return TrainSettings(**data)
    except (TypeError, SettingsError):
        return None


@dataclass(frozen=True)
class FineTuning(Record):
    """How the weights of a point were fine-tuned: its run in short."""

    key: str  # of the run
    epochs: int  # that were run
    settings: TrainSettings | None  # with these epochs; None where another version had others

    @classmethod
    def of(cls, key: str, settings: TrainSettings, epochs: int) -> Self:
        """Describe a run of `epochs`, which may be fewer than its settings ask for."""
        return cls(key, epochs, replace(settings, epochs=epochs))

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data: the key and the settings side by side."""
        settings = asdict(self.settings) if self.settings else {}
        return {"key": self.key, **settings, "epochs": self.epochs}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a record; raises KeyError where the epochs are missing."""
        settings = {name: value for name, value in data.items() if name != "key"}
        return cls(data.get("key", ""), data["epochs"], _train_settings(settings))


def _optional_fine_tuning(data: Mapping[str, Any] | None) -> FineTuning | None:
    return FineTuning.from_dict(data) if data else None


def _without(data: dict[str, Any], name: str) -> dict[str, Any]:
    """The data without a value that was not noted."""
    return {key: value for key, value in data.items() if key != name or value}


@dataclass(frozen=True)
class Point(Record):
    """One measured network of the frontier."""

    ranking: PointRanking
    ranking_id: str  # see `Study.ranking_id`
    budget: float  # fraction of MACs asked for
    macs: int
    params: int
    macs_fraction: float
    top1: float  # on test images, in [0, 1]
    loss: float | None  # None: an output is NaN or infinite
    images: int
    recalibrated: bool
    latency: Latency | None = field(metadata=stored(read=_optional_latency))
    finetuned: FineTuning | None = field(default=None, metadata=stored(read=_optional_fine_tuning))
    created: str = ""
    provenance: Provenance = field(default=UNKNOWN, metadata=stored("made", Provenance.from_dict))
    keep_id: str = ""  # which kept set; "" where an earlier version measured

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, without what was not noted."""
        return _without(super().to_dict(), "keep_id")


@dataclass(frozen=True)
class Epoch(Record):
    """One epoch of a run."""

    loss: float  # mean over the training images
    heldout_top1: float  # in [0, 1]
    heldout_loss: float
    seconds: float = 0.0
    slower: float = 1.0  # factor of the learning rate; below 1 after a loss was NaN or infinite


def epochs_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Epoch, ...]:
    """The epochs of a run, of their JSON."""
    return tuple(map(Epoch.from_dict, rows))


def _optional_budget(data: Mapping[str, float] | None) -> Budget | None:
    return Budget(**data) if data else None


@dataclass(frozen=True)
class FineTuned(Record):
    """One finished fine-tuning run; its weights lie beside it as safetensors."""

    key: str  # file name without ending
    keep_id: str  # which kept set
    macs_fraction: float
    settings: TrainSettings | None = field(metadata=stored(read=_train_settings))  # None: of another version
    top1_before: float  # on test images, in [0, 1]
    top1: float
    heldout_top1: float
    epochs: int  # that were run
    seconds: float
    curve: tuple[Epoch, ...] = field(default=(), metadata=stored(read=epochs_of))
    created: str = ""
    ranking: RankingName | Literal[""] = ""  # on whose path the network lay; "" in runs of earlier versions
    provenance: Provenance = field(default=UNKNOWN, metadata=stored("made", Provenance.from_dict))
    half: bool = False  # its weights were rounded to float16 before they were scored
    budget: Budget | None = field(default=None, metadata=stored(read=_optional_budget))  # None: not noted
    kept: str = ""  # the kept set itself, as `kept_sets.packed` writes it; "" in runs of earlier versions

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data; a budget by its limits."""
        data = _without(super().to_dict(), "kept")
        return {**data, "budget": dict(self.budget.limits()) if self.budget else None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a record; an earlier version noted `half` and the budget in the command alone."""
        run = super().from_dict(data)
        if "half" in data:
            return run
        return replace(run, half="--half" in run.provenance.words, budget=run.provenance.budget)
