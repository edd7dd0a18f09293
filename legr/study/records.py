"""The records a study holds: what it is about, what was learned, what was measured.

They do not know files; numpy only.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from legr.ranking.types import Affine
from legr.training.settings import Statistics

#: Efforts by name for each method of a search, in passes over the held-out images.
EFFORTS: Mapping[str, Mapping[str, int]] = {
    "gradient": {"Quick": 30, "Standard": 60, "Thorough": 180},
    "evolution": {"Quick": 100, "Standard": 400, "Thorough": 1600},
}
RankingName = Literal["learned", "identity", "uniform"]
RANKINGS: tuple[RankingName, ...] = ("learned", "identity", "uniform")


class _Record:
    """To and from plain dicts; unknown fields of a later version are ignored."""

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a record; raises TypeError where a field is missing."""
        return cls(**_known(cls, data))


@dataclass(frozen=True)
class StudyInfo(_Record):
    """What a study is about; written once (`study.json`). No path of a machine is ever in it."""

    name: str
    model: str
    num_classes: int
    input_shape: tuple[int, int, int]  # channels, height, width
    weights_sha256: str
    weights_origin: Literal["legr", "elsewhere", "none"]  # elsewhere: may have been trained on held-out images
    data_name: str
    data_fingerprint: str
    classes: tuple[str, ...]  # that the network answers for
    split_seed: int
    normalization: Mapping[str, Any]  # kind, mean, std
    self_check: float  # largest relative error of zeroed = removed
    created: str
    sample: bool = False
    pruned_to: float | None = None  # MACs of its original as a fraction of the model's that this was cut from before
    all_classes: tuple[str, ...] = ()  # of the images, where the network answers for some of them alone


@dataclass(frozen=True)
class SearchSettings(_Record):
    """How a ranking is searched for; the effort is not in it, so that a search can be extended."""

    method: str = "gradient"
    budgets: tuple[float, ...] = ()  # fractions of MACs that candidates are scored at; () is the whole slider
    images: int = 2000  # held-out images a network is scored on
    seed: int = 0
    statistics: Statistics = "batch"  # of the batch norms while scoring
    steps: int = 0  # of SGD before a network is scored
    options: Mapping[str, float] = field(default_factory=dict)  # of the method

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**_known(cls, data), "budgets": tuple(data["budgets"])})

    @property
    def key(self) -> str:
        """A short name: searches of the same settings are one search."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return f"{self.method}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Learned(_Record):
    """A learned ranking (`ranking.json`): the affine map of every layer, and how it was found."""

    layers: tuple[str, ...]
    alpha: tuple[float, ...]
    kappa: tuple[float, ...]
    settings: Mapping[str, Any]
    candidates: int
    best_candidate: int
    identity_loss: float
    best_loss: float
    trace: tuple[float, ...]  # best loss after each candidate
    spent: tuple[float, ...]  # passes over the images after each candidate
    seconds: float
    heldout_seen: bool  # the weights may have been trained on the held-out images
    settled: bool = False  # more effort would change nothing
    made: Mapping[str, Any] = field(default_factory=dict)  # command, seed, seconds, machine

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
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
class Latency(_Record):
    """Time of one forward pass, median of repeated runs after warm-up, and where it was taken."""

    milliseconds: float
    runtime: str  # such as "PyTorch 2.14.1"
    device: str
    threads: int
    batch: int
    machine: str = ""  # name of the processor or accelerator; "" where an earlier version measured
    hindered: bool = False  # other programs left fewer cores than threads: the time is too long

    @property
    def conditions(self) -> tuple[str, str, int, int, str]:
        """All but the time: runtime, device, threads, batch, machine. Only times of the same can be compared."""
        return self.runtime, self.device, self.threads, self.batch, self.machine


@dataclass(frozen=True)
class Point(_Record):
    """One measured network of the frontier."""

    ranking: str  # "learned", "identity", "uniform", or "original"
    ranking_id: str  # which learned map; "" for the others
    budget: float  # fraction of MACs asked for
    macs: int
    params: int
    macs_fraction: float
    top1: float  # on test images, in [0, 1]
    loss: float | None  # None: an output was no number
    images: int
    recalibrated: bool
    latency: Latency | None
    finetuned: Mapping[str, Any] | None = None  # epochs, seed, … of the run whose weights these are
    created: str = ""
    made: Mapping[str, Any] = field(default_factory=dict)  # command, seconds, machine

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        latency = data.get("latency")
        return cls(**{**_known(cls, data), "latency": Latency.from_dict(latency) if latency else None})


@dataclass(frozen=True)
class FineTuned(_Record):
    """One finished fine-tuning run; its weights lie beside it as safetensors."""

    key: str  # file name without ending
    keep_id: str  # which kept set
    macs_fraction: float
    settings: Mapping[str, Any]
    top1_before: float  # test, in [0, 1]
    top1: float
    heldout_top1: float
    epochs: int
    seconds: float
    curve: tuple[Mapping[str, float], ...] = field(default=())  # per epoch: loss, heldout_top1, heldout_loss
    created: str = ""
    ranking: str = ""  # on whose path the network lay; "" in runs of earlier versions
    made: Mapping[str, Any] = field(default_factory=dict)  # command, seed, seconds, machine

    @property
    def half(self) -> bool:
        """Whether its weights were rounded to what float16 holds before they were judged."""
        return "--half" in str(self.made.get("command", "")).split()


def _known(cls: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    return {f.name: data[f.name] for f in fields(cls) if f.name in data}
