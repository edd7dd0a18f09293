"""The records of a study: what it is about, what was learned, what was measured, what was fine-tuned."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, WrapValidator, model_validator

from legr.data.normalization import Normalization
from legr.errors import SettingsError
from legr.ranking.limits import Budget
from legr.ranking.types import Affine
from legr.record import Record
from legr.schema import Count, Name, Number, Real, Several, Share
from legr.study.heldout import HeldoutScore, warning_of
from legr.study.latency import Latency
from legr.study.provenance import UNKNOWN, Provenance
from legr.training.calibration import PLAIN, Calibration
from legr.training.settings import Statistics, TrainSettings

#: Efforts by name for each method of a search, in passes over the held-out images.
EFFORTS: Mapping[str, Mapping[str, int]] = {
    "gradient": {"Quick": 30, "Standard": 60, "Thorough": 180},
    "evolution": {"Quick": 100, "Standard": 400, "Thorough": 1600},
    "rl": {"Quick": 200, "Standard": 400, "Thorough": 800},
}
LearnedName = Literal["learned-ms", "learned"]  # learned at equal milliseconds of a device, and at equal MACs
RankingName = Literal["learned-ms", "learned", "identity", "uniform"]
PointRanking = RankingName | Literal["original"]
#: The first that a study has is its default.
RANKINGS: tuple[RankingName, ...] = ("learned-ms", "learned", "identity", "uniform")
#: Where learned maps lie, by ranking.
MAPS: Mapping[str, str] = {"learned-ms": "ranking-ms.json", "learned": "ranking.json"}

MOST_CLASSES = 1_000_000
Classes = Annotated[int, Field(ge=1, le=MOST_CLASSES)]
Kept = Annotated[str, Field(max_length=10_000_000)]
Key = Annotated[str, Field(pattern=r"^\w[\w.-]{0,99}$")]  # a part of a file's name
Channels = Annotated[int, Field(ge=1, le=3)]
Side = Annotated[int, Field(ge=1, le=100_000)]  # pixels
Positive = Annotated[Number, Field(gt=0)]
Seconds = Annotated[float, Field(ge=0, le=1e10)]
Made = Annotated[Provenance, Field(alias="made")]


@dataclass(frozen=True)
class StudyInfo(Record):
    """What a study is about; written once (`study.json`). No path of a machine is ever in it."""

    name: Name
    model: Name
    num_classes: Classes
    input_shape: Annotated[tuple[Channels, Side, Side], Field(strict=False)]  # channels, height, width
    weights_sha256: Name
    weights_origin: Literal["legr", "elsewhere", "none"]  # elsewhere: may have been trained on held-out images
    data_name: Name
    data_fingerprint: Name
    classes: Several[Name]  # that the network predicts
    split_seed: Count
    normalization: Normalization
    self_check: Real  # largest relative error of zeroed = removed
    created: Name
    sample: bool = False
    #: MACs of its original as a fraction of the model's that this was cut from before.
    pruned_to: Annotated[float, Field(gt=0, le=1)] | None = None
    #: Of the images, where the network predicts only some of them.
    all_classes: Several[Name] = ()
    heldout: HeldoutScore | None = None  # of the original; None where an earlier version made the study

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, without a score that was not noted."""
        return _without(super().to_dict(), "heldout")

    @property
    def warning(self) -> str | None:
        """One sentence where the original does no better than guessing, else None."""
        return warning_of(self.heldout, self.classes, random_weights=self.weights_origin == "none")

    @model_validator(mode="after")
    def _check(self) -> "StudyInfo":
        if len(self.normalization.mean) not in (1, self.input_shape[0]):
            raise ValueError(f"normalization is for {len(self.normalization.mean)} channels, not {self.input_shape[0]}")
        if len(self.classes) != self.num_classes:
            raise ValueError(f"classes are {len(self.classes)}, and num_classes is {self.num_classes}")
        return self


@dataclass(frozen=True)
class SearchSettings(Record):
    """How a ranking is searched for; the effort is not in it, so that a search can be extended."""

    method: Name = "gradient"
    #: Fractions of the cost that candidates are scored at; () is the whole slider.
    budgets: Several[Number] = ()
    images: Count = 2000  # held-out images that a network is scored on
    seed: Count = 0
    statistics: Statistics = "batch"  # of the batch norms while scoring
    sgd_steps: Annotated[Count, Field(alias="steps")] = 0  # before a network is scored
    options: Mapping[Name, Number] = field(default_factory=dict)  # of the method
    cost: Literal["macs", "latency"] = "macs"  # that candidates are compared at
    device_profile: Name = ""  # name of the device whose latency is meant
    profile_id: Name = ""  # and which measurements of it
    blocks: bool = False  # whether whole blocks may leave candidates

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, without what earlier versions did not have and is not used: keys stay so."""
        data = super().to_dict()
        unused = () if self.cost != "macs" else ("cost", "device_profile", "profile_id")
        return {key: value for key, value in data.items() if key not in unused and (key != "blocks" or value)}

    @property
    def ranking(self) -> LearnedName:
        """The ranking that such a search learns."""
        return "learned" if self.cost == "macs" else "learned-ms"

    @property
    def key(self) -> str:
        """A short name: searches of the same settings are one search."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return f"{self.method}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Learned(Record):
    """A learned ranking (a file of `MAPS`): the affine map of every layer, and how it was found."""

    layers: Several[Name]
    alpha: Several[Annotated[Real, Field(gt=0)]]
    kappa: Several[Real]
    settings: SearchSettings
    candidates: Count
    best_candidate: Count
    identity_loss: Real
    best_loss: Real
    best_losses: Annotated[Several[Real], Field(alias="trace")]  # so far, after each candidate
    passes_spent: Annotated[Several[Positive], Field(alias="spent")]  # in all, after each candidate
    seconds: Seconds
    heldout_seen: bool  # the weights may have been trained on the held-out images
    settled: bool = False  # more effort would change nothing
    provenance: Made = UNKNOWN
    supernet: Name = ""  # key of the one that learned the map again, beginning with what the search had found

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, without what earlier versions did not have and is not used."""
        return _without(super().to_dict(), "supernet")

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, data: Any, build: ModelWrapValidatorHandler["Learned"]) -> "Learned":
        if isinstance(data, Mapping) and "spent" not in data:
            raise ValueError("an earlier version learned it; remove it and learn again")
        learned = build(data)
        if not len(learned.layers) == len(learned.alpha) == len(learned.kappa):
            raise ValueError("layers, alpha and kappa differ in length")
        if not 0 < len(learned.best_losses) == len(learned.passes_spent):
            raise ValueError("trace and spent differ in length")
        return learned

    @property
    def affine(self) -> Affine:
        """The map as arrays."""
        return Affine.of(self.alpha, self.kappa)


def _known(data: Any, build: Callable[[Any], TrainSettings]) -> TrainSettings | None:
    """Settings of a run; None where another version had others."""
    try:
        return build(data)
    except (ValidationError, SettingsError):
        return None


OwnSettings = Annotated[TrainSettings | None, WrapValidator(_known)]


@dataclass(frozen=True)
class FineTuning(Record):
    """How the weights of a point were fine-tuned: its run in short."""

    key: Name  # of the run
    epochs: Count  # that were run
    settings: OwnSettings  # with these epochs; None where another version had others

    @classmethod
    def of(cls, key: str, settings: TrainSettings, epochs: int) -> "FineTuning":
        """Describe a run of `epochs`, which may be fewer than its settings ask for."""
        return cls(key, epochs, replace(settings, epochs=epochs))

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data: the key and the settings side by side."""
        settings = self.settings.to_dict() if self.settings else {}
        return {"key": self.key, **settings, "epochs": self.epochs}

    @model_validator(mode="before")
    @classmethod
    def _apart(cls, data: Any) -> Any:
        """The key and the settings, which stand side by side in JSON, as fields."""
        if not isinstance(data, Mapping):
            return data
        settings = {name: value for name, value in data.items() if name != "key"}
        return {"key": "", **data, "settings": settings}


def _without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    """The data without values that were not noted."""
    return {key: value for key, value in data.items() if key not in names or value}


@dataclass(frozen=True)
class Point(Record):
    """One measured network of the frontier."""

    ranking: PointRanking
    ranking_id: Name  # see `Study.ranking_id`
    budget: Share  # fraction of MACs asked for
    macs: Count
    params: Count
    macs_fraction: Share
    top1: Share  # on test images
    loss: Real | None  # None: an output is NaN or infinite
    images: Count
    recalibrated: bool
    latency: Latency | None
    finetuned: FineTuning | None = None
    created: Name = ""
    provenance: Made = UNKNOWN
    keep_id: Name = ""  # which kept set; "" where an earlier version measured
    calibration: Name = ""  # key of what batch norms are recalibrated on; "": an earlier version, so plain images

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, without what was not noted."""
        return _without(super().to_dict(), "keep_id", "calibration")

    def is_measured_with(self, calibration: Calibration) -> bool:
        """Whether its accuracy can stand beside others that were measured so; the original is never recalibrated."""
        return self.ranking == "original" or (self.calibration or PLAIN.key) == calibration.key


@dataclass(frozen=True)
class Epoch(Record):
    """One epoch of a run."""

    loss: Real  # mean over the training images
    heldout_top1: Share
    heldout_loss: Real
    seconds: Seconds = 0.0
    slower: Share = 1.0  # factor of the learning rate; below 1 after a loss was NaN or infinite


def epochs_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Epoch, ...]:
    """The epochs of a run, of their JSON."""
    return tuple(map(Epoch.from_dict, rows))


@dataclass(frozen=True)
class FineTuned(Record):
    """One finished fine-tuning run; its weights lie beside it as safetensors."""

    key: Key  # file name without ending
    keep_id: Key  # which kept set
    macs_fraction: Share
    settings: OwnSettings  # None: of another version
    top1_before: Share  # on test images, with the weights it began with
    top1: Share
    heldout_top1: Share
    epochs: Annotated[Count, Field(ge=1)]  # that were run
    seconds: Seconds
    curve: Several[Epoch] = ()
    created: Name = ""
    ranking: RankingName | Literal[""] = ""  # on whose path the network lay; "" in runs of earlier versions
    provenance: Made = UNKNOWN
    half: bool = False  # its weights were rounded to float16 before they were scored
    budget: Budget | None = None  # None: not noted
    kept: Kept = ""  # the kept set itself, as `kept_sets.packed` writes it; "" in runs of earlier versions
    supernet: Name = ""  # key of the supernet whose weights it began with; "": those of the original, pruned
    name: Name = ""  # that the user gave it; "": none

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data; a budget by its limits."""
        data = _without(super().to_dict(), "kept", "supernet", "name")
        return {**data, "budget": self.budget.stated if self.budget else None}

    @model_validator(mode="wrap")
    @classmethod
    def _complete(cls, data: Any, build: ModelWrapValidatorHandler["FineTuned"]) -> "FineTuned":
        """An earlier version noted `half` and the budget in the command alone."""
        run = build(data)
        if not isinstance(data, Mapping) or "half" in data:
            return run
        return replace(run, half="--half" in run.provenance.words, budget=run.provenance.budget)
