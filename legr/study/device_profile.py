"""Profiles of devices: what the layers of a study's network take there, as files `profiles/NAME.json` of the study.

A profile may come from another machine, so it is read as any file from elsewhere. Loads without torch.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import prod
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from legr.errors import StudyError
from legr.files import write_json
from legr.record import Record
from legr.schema import Count, Name, Number, SchemaError, Several
from legr.structure.latency import Fit, LatencyTable, LayerTimes, Passage, Size, TimedLayer
from legr.structure.types import Structure
from legr.study.folder import StudyFolder
from legr.study.json_file import FORMAT, damaged_file, read_record
from legr.study.latency import Conditions, Milliseconds
from legr.study.provenance import UNKNOWN, Provenance

FOLDER = "profiles"
_REMEDY = "remove it and run `python -m legr profile` again"
_Positive = Annotated[int, Field(ge=1, le=2**31)]
_Vector = Annotated[int, Field(ge=0, lt=2**20)]
_Size = tuple[_Vector, _Positive, _Positive]  # as the fields of `Size`
_Time = Annotated[float, Field(gt=0, le=1e7)]  # milliseconds
NAME = re.compile(r"\w[\w.-]{0,99}", re.ASCII)
ProfileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]


@dataclass(frozen=True)
class MeasuredNetwork(Record):
    """A whole network of the device that the table was fitted to."""

    macs: float  # fraction of the original's
    milliseconds: _Time  # measured
    predicted: Milliseconds  # by a table that was fitted to the others


@dataclass(frozen=True)
class MeasuredMultiple(Record):
    """What rounding to a multiple gives: the identity's network at half the MACs."""

    multiple: Annotated[int, Field(ge=1, le=1024)]
    milliseconds: _Time


@dataclass(frozen=True)
class _StoredTimes(Record):
    points: list[list[_Positive]]
    milliseconds: list[_Time]  # the last number of channels varies fastest
    periods: Annotated[list[Annotated[int, Field(ge=0, le=1024)]], Field(max_length=2)] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, as it was before there were periods where there is none."""
        data = super().to_dict()
        if not self.periods:
            del data["periods"]
        return data

    @model_validator(mode="after")
    def _check(self) -> "_StoredTimes":
        if len(self.points) > 2 or prod(len(axis) for axis in self.points) != len(self.milliseconds):
            raise ValueError("points and milliseconds do not fit together")
        if any(not axis or any(b <= a for a, b in pairwise(axis)) for axis in self.points):
            raise ValueError("points do not rise")
        if self.periods and len(self.periods) != len(self.points):
            raise ValueError("points and periods do not fit together")
        return self


@dataclass(frozen=True)
class _StoredLayer(Record):
    name: Name
    times: Count
    sizes: list[_Size]
    parameter: Name | None
    inside: Annotated[list[_Vector], Field(max_length=256)] = field(default_factory=list)


#: As the fields of `Passage`.
_StoredPassage = tuple[
    _Positive, _Size, Annotated[list[_Size], Field(max_length=64)], Annotated[list[_Vector], Field(max_length=256)]
]


@dataclass(frozen=True)
class _StoredFit(Record):
    scale: Annotated[float, Field(gt=0, le=1e6)]
    overhead_ms: Annotated[float, Field(ge=0, le=1e6)]
    saved_ms: Annotated[float, Field(ge=0, le=1e6)]  # a megabyte


@dataclass(frozen=True)
class DeviceProfile(Record):
    """Times of a network's layers on one device, in one runtime, and how well whole networks are predicted by them."""

    name: ProfileName
    conditions: Conditions
    network: Name  # `network_key` of the structure
    quantum: Annotated[int, Field(ge=1, le=1024)]
    fit: _StoredFit
    times: Annotated[list[_StoredTimes], Field(max_length=2_000)]
    layers: Annotated[list[_StoredLayer], Field(max_length=5_000)]
    passages: Annotated[list[_StoredPassage], Field(max_length=20_000)]
    networks: Several[MeasuredNetwork]
    multiples: Several[MeasuredMultiple]
    seconds: Number  # that it took
    contended: bool  # other programs were using the cores
    replaced: bool = False  # as in `LatencyTable`
    provenance: Annotated[Provenance, Field(alias="made")] = UNKNOWN

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data; a profile that says nothing of `replaced` keeps its name in searches."""
        data = super().to_dict()
        if not self.replaced:
            del data["replaced"]
        return data

    @property
    def multiple(self) -> int:
        """The multiple that is worth rounding to: the smallest within a few per cent of the fastest."""
        best = min((m.milliseconds for m in self.multiples), default=0.0)
        near = [m.multiple for m in self.multiples if m.milliseconds <= (1 + _WORTH) * best]
        return min(near, default=1)

    @property
    def errors(self) -> tuple[float, float]:
        """Median and 95th percentile of the error of whole networks, as fractions; each by a fit to the others."""
        if not self.networks:
            return 0.0, 0.0
        errors = [abs(n.predicted / n.milliseconds - 1) for n in self.networks if n.milliseconds > 0]
        return float(np.median(errors)), float(np.quantile(errors, 0.95))

    def table(self, structure: Structure) -> LatencyTable:
        """The table, to predict networks of a structure.

        Raises:
            SchemaError: it is of another network, or damaged.
        """
        if self.network != network_key(structure):
            raise SchemaError(f"the profile {self.name} is of another network")
        return LatencyTable(
            layers=tuple(
                TimedLayer(x.name, x.times, tuple(_size(s, structure) for s in x.sizes), x.parameter, tuple(x.inside))
                for x in self.layers
                if self._fits(x, structure)
            ),
            times=tuple(
                LayerTimes(
                    tuple(np.array(axis, dtype=np.int64) for axis in t.points),
                    np.array(t.milliseconds).reshape([len(axis) for axis in t.points]),
                    self.quantum,
                    tuple(t.periods),
                )
                for t in self.times
            ),
            passages=tuple(
                Passage(elements, _size(channels, structure), tuple(_size(s, structure) for s in before), tuple(inside))
                for elements, channels, before, inside in self.passages
                if self._are_places(inside, structure)
            ),
            quantum=self.quantum,
            fit=Fit(self.fit.scale, self.fit.overhead_ms, self.fit.saved_ms),
            replaced=self.replaced,
        )

    def _fits(self, layer: _StoredLayer, structure: Structure) -> bool:
        if layer.times >= len(self.times) or len(layer.sizes) != len(self.times[layer.times].points):
            raise SchemaError(f"the times of {layer.name} are not in the table")
        if layer.parameter is not None and layer.parameter not in structure.shapes:
            raise SchemaError(f"the network has no {layer.parameter}")
        return self._are_places(layer.inside, structure)

    def _are_places(self, inside: Sequence[int], structure: Structure) -> bool:
        if any(place >= len(structure.vectors) for place in inside):
            raise SchemaError("a layer is in a branch that the network has not")
        return True


_WORTH = 0.03  # a larger multiple has to gain more than this


@dataclass(frozen=True, eq=False)
class ProfiledDevice:
    """A device that a study has a profile of."""

    profile: DeviceProfile
    table: LatencyTable


def stored(name: str, conditions: Conditions, structure: Structure, table: LatencyTable, **facts: Any) -> DeviceProfile:
    """The record of a table.

    Args:
        facts: the further fields of `DeviceProfile`.
    """
    return DeviceProfile(
        name=name,
        conditions=conditions,
        network=network_key(structure),
        quantum=table.quantum,
        replaced=table.replaced,
        fit=_StoredFit(table.fit.scale, table.fit.overhead_ms, table.fit.saved_ms),
        times=[
            _StoredTimes([p.tolist() for p in t.points], t.milliseconds.ravel().tolist(), list(t.periods))
            for t in table.times
        ],
        layers=[
            _StoredLayer(x.name, x.times, [_numbers(s) for s in x.sizes], x.parameter, list(x.inside))
            for x in table.layers
        ],
        passages=[
            (p.elements, _numbers(p.channels), [_numbers(s) for s in p.before], list(p.inside)) for p in table.passages
        ],
        **facts,
    )


def network_key(structure: Structure) -> str:
    """Equal for structures whose tables can stand for each other."""
    parts = [repr(structure.input_shapes).encode(), *(labels.tobytes() for labels in structure.vectors)]
    return hashlib.sha256(b"|".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:16]


def profile_names(study: StudyFolder) -> list[str]:
    """Names of the study's profiles."""
    return [path.stem for path in study.files(FOLDER, "*.json") if NAME.fullmatch(path.stem)]


def read_device(study: StudyFolder, name: str, structure: Structure) -> ProfiledDevice:
    """Read a profile of a study, and its table.

    Raises:
        StudyError: there is none of this name, it is damaged, or of another network; the message says which there are.
    """
    names = profile_names(study)
    if name not in names:
        known = f"there are {', '.join(names)}" if names else "there is none yet"
        raise StudyError(
            f"{study.path.name} has no profile {name!r}: {known}; make one with "
            f"`python -m legr profile --study {study.path}`"
        )
    path = study.within(FOLDER, f"{name}.json")
    profile = replace(read_record(path, DeviceProfile, remedy=_REMEDY), name=name)  # the file may have been renamed
    try:
        return ProfiledDevice(profile, profile.table(structure))
    except SchemaError as error:
        raise damaged_file(path, error, _REMEDY) from error


def readable_devices(study: StudyFolder, structure: Structure) -> Iterator[ProfiledDevice]:
    """The devices of those of the study's profiles that can be read, by name."""
    for name in profile_names(study):
        try:
            yield read_device(study, name, structure)
        except StudyError:
            continue


def write_profile(study: StudyFolder, profile: DeviceProfile) -> None:
    """Store a profile; one of the same name is replaced."""
    path = study.within(FOLDER, f"{profile.name}.json")
    path.parent.mkdir(exist_ok=True)
    write_json(path, {"format": FORMAT, **profile.to_dict()})


def _size(numbers: tuple[int, int, int], structure: Structure) -> Size:
    vector, whole, labels = numbers
    if vector >= len(structure.vectors) or labels != len(structure.vectors[vector]):
        raise SchemaError(f"the network has no label vector {vector} of {labels} positions")
    return Size(vector, whole, labels)


def _numbers(size: Size) -> tuple[int, int, int]:
    return size.vector, size.whole, size.labels
