"""What a user may demand of the pruned networks beside their cost: multiples, floors, excluded and pinned layers."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from pydantic import model_validator

from legr.errors import SettingsError
from legr.record import Record
from legr.schema import Count, Name, Several
from legr.structure.types import Structure

MULTIPLES = (1, 4, 8, 16, 32)
_FEW = 3  # layers that a sentence names


@dataclass(frozen=True)
class Constraints(Record):
    """What holds for every network of a ranking; the default demands nothing.

    Attributes:
        multiple: what remains of a layer is a multiple of it, or the layer is untouched; 1, 4, 8, 16 or 32.
        floors: channels that a layer keeps at least, in place of a tenth and two; from 1 on.
        excluded: layers of which no channel is removed.
        pins: exact number of channels of a layer, at every budget; neither multiple nor floor holds for it.

    Raises:
        SettingsError: a value is out of range, or a layer is both excluded and pinned.
    """

    multiple: int = 1
    floors: Mapping[Name, Count] = field(default_factory=dict)
    excluded: Several[Name] = ()
    pins: Mapping[Name, Count] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.multiple not in MULTIPLES:
            allowed = ", ".join(map(str, MULTIPLES))
            raise SettingsError(f"channels can be rounded to multiples of {allowed}, got {self.multiple!r}")
        for word, counts in (("floor", self.floors), ("pin", self.pins)):
            for layer, count in counts.items():
                if not _is_count(count):
                    raise SettingsError(f"the {word} of {layer} must be a whole number from 1 on, got {count!r}")
        both = sorted(set(self.excluded) & set(self.pins))
        if both:
            raise SettingsError(f"{both[0]} is excluded, so it cannot be pinned as well; drop one of the two")
        object.__setattr__(self, "floors", dict(sorted(self.floors.items())))
        object.__setattr__(self, "excluded", tuple(sorted(set(self.excluded))))
        object.__setattr__(self, "pins", dict(sorted(self.pins.items())))

    @property
    def is_plain(self) -> bool:
        """Whether nothing is demanded."""
        return self == UNCONSTRAINED

    @property
    def key(self) -> str:
        """A short name for files; "" without constraints."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return "" if self.is_plain else hashlib.sha256(text.encode()).hexdigest()[:12]

    def check(self, structure: Structure) -> None:
        """Refuse names and counts that the network does not have.

        Raises:
            SettingsError: there is no such layer, or it has fewer channels.
        """
        totals = {layer.name: layer.total for layer in structure.layers}
        for name in (*self.excluded, *self.floors, *self.pins):
            if name not in totals:
                raise SettingsError(f"there is no layer {name!r} that can be cut; {_advice(name, totals)}")
        for word, counts in (("floor", self.floors), ("pin", self.pins)):
            for name, count in counts.items():
                if count > totals[name]:
                    raise SettingsError(
                        f"the {word} of {name} must be in [1, {totals[name]}], the channels it has, got {count}"
                    )

    @property
    def words(self) -> str:
        """For people: "multiples of 8; conv1 left whole"; "" without constraints."""
        parts = [f"multiples of {self.multiple}"] if self.multiple > 1 else []
        parts += [f"{_listed(self.excluded)} left whole"] if self.excluded else []
        parts += [f"{_listed(self.pins)} pinned"] if self.pins else []
        parts += [f"a floor for {_listed(self.floors)}"] if self.floors else []
        return "; ".join(parts)

    @model_validator(mode="before")
    @classmethod
    def _require_all(cls, data: Any) -> Any:
        """In JSON every field is there, as it was written."""
        missing = [f.name for f in fields(cls) if f.name not in data] if isinstance(data, Mapping) else []
        if missing:
            raise ValueError(f"{missing[0]} is missing")
        return data


UNCONSTRAINED = Constraints()


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _listed(layers: Collection[str] | Mapping[str, int]) -> str:
    """Layers by name, with their counts where they have some; of many, only how many there are."""
    if len(layers) > _FEW:
        return f"{len(layers)} layers"
    return ", ".join(f"{name} ({layers[name]})" if isinstance(layers, Mapping) else name for name in layers)


def _advice(name: str, layers: Iterable[str]) -> str:
    close = get_close_matches(name, list(layers), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else "`python -m legr show` lists those that can"
