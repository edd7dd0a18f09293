"""What a user may demand of the pruned networks beside their cost: multiples, floors, fixed layers, whole blocks."""

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
from legr.structure.branches import is_in
from legr.structure.types import Structure

MULTIPLES = (1, 4, 8, 16, 32)
_FEW = 3  # layers that a sentence names
_LATER = ("blocks", "kept_blocks", "removed_blocks")  # fields that 0.2.0 did not have


@dataclass(frozen=True)
class Constraints(Record):
    """What holds for every network of a ranking; the default demands nothing.

    Attributes:
        multiple: what remains of a layer is a multiple of it, or the layer is untouched; 1, 4, 8, 16 or 32.
        floors: channels that a layer keeps at least, in place of a tenth and two; from 1 on.
        excluded: layers of which no channel is removed.
        pins: exact number of channels of a layer, at every budget; neither multiple nor floor holds for it.
        blocks: whether blocks may leave whole, with what the floors of their layers would keep; not where one of these
            layers is excluded or pinned.
        kept_blocks: blocks that never leave.
        removed_blocks: blocks that are in no network.

    Raises:
        SettingsError: a value is out of range, a layer is both excluded and pinned, or a block both kept and removed.
    """

    multiple: int = 1
    floors: Mapping[Name, Count] = field(default_factory=dict)
    excluded: Several[Name] = ()
    pins: Mapping[Name, Count] = field(default_factory=dict)
    blocks: bool = False
    kept_blocks: Several[Name] = ()
    removed_blocks: Several[Name] = ()

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
        both = sorted(set(self.kept_blocks) & set(self.removed_blocks))
        if both:
            raise SettingsError(f"the block {both[0]} cannot be both kept and removed; drop one of the two")
        for name in ("kept_blocks", "removed_blocks"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))
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

    def to_dict(self) -> dict[str, Any]:
        """Return them as plain data; what they say of blocks only where they do, as before there was such a thing."""
        return {key: value for key, value in super().to_dict().items() if key not in _LATER or value}

    def check(self, structure: Structure) -> None:
        """Refuse names and counts that the network does not have.

        Raises:
            SettingsError: there is no such layer or block, it has fewer channels, or a block is to go of which a layer
                is to stay.
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

        self._check_blocks(structure)

    def _check_blocks(self, structure: Structure) -> None:
        branches = {branch.name: branch for branch in structure.branches}
        asked = (*self.kept_blocks, *self.removed_blocks)
        if not branches and (asked or self.blocks):
            raise SettingsError(
                "no block of this network is known to leave whole; a study of an earlier version has to be made anew, "
                "and a network without shortcuts has none"
            )
        for name in asked:
            if name not in branches:
                raise SettingsError(f"there is no block {name!r} that can leave; {_advice(name, branches)}")
        fixed = {*self.excluded, *self.pins}
        for layer in (layer for layer in structure.layers if layer.name in fixed):
            for name in self.removed_blocks:
                if is_in(branches[name], layer.parameter):
                    how = "pinned" if layer.name in self.pins else "excluded"
                    raise SettingsError(
                        f"the block {name} cannot be removed, because its layer {layer.name} is {how}; drop "
                        "one of the two"
                    )

    @property
    def words(self) -> str:
        """For people: "multiples of 8; conv1 left whole"; "" without constraints."""
        parts = [f"multiples of {self.multiple}"] if self.multiple > 1 else []
        parts += [f"{_listed(self.excluded)} left whole"] if self.excluded else []
        parts += [f"{_listed(self.pins)} pinned"] if self.pins else []
        parts += [f"a floor for {_listed(self.floors)}"] if self.floors else []
        parts += ["whole blocks may leave"] if self.blocks else []
        parts += [f"{_listed(self.kept_blocks, 'blocks')} stays"] if self.kept_blocks and self.blocks else []
        parts += [f"{_listed(self.removed_blocks, 'blocks')} removed"] if self.removed_blocks else []
        return "; ".join(parts)

    @model_validator(mode="before")
    @classmethod
    def _require_all(cls, data: Any) -> Any:
        """In JSON every field is there, as it was written."""
        names = [f.name for f in fields(cls) if f.name not in _LATER]
        missing = [name for name in names if name not in data] if isinstance(data, Mapping) else []
        if missing:
            raise ValueError(f"{missing[0]} is missing")
        return data


UNCONSTRAINED = Constraints()


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _listed(layers: Collection[str] | Mapping[str, int], kind: str = "layers") -> str:
    """Layers by name, with their counts where they have some; of many, only how many there are."""
    if len(layers) > _FEW:
        return f"{len(layers)} {kind}"
    return ", ".join(f"{name} ({layers[name]})" if isinstance(layers, Mapping) else name for name in layers)


def _advice(name: str, layers: Iterable[str]) -> str:
    close = get_close_matches(name, list(layers), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else "`python -m legr show` lists those that can"
