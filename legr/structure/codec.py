"""A structure as JSON and back, so that a page can use it without tracing (or torch).

Each distinct label vector is written once and referred to by number, as many axes share one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from legr.record import Record
from legr.schema import MEGABYTE, Count, Name, SchemaError, Text
from legr.structure.consistency import require_consistent
from legr.structure.types import (
    Attribute,
    Axis,
    Branch,
    Gather,
    Group,
    IntArray,
    Layer,
    LiveSet,
    Op,
    Remark,
    Removed,
    Structure,
    Uncounted,
    readonly,
)

FORMAT = 2
LARGEST_STRUCTURE = 64 * MEGABYTE  # as JSON
#: (JSON key, field of `Structure`, class of its items); the items are written as the list of their fields.
_PLAIN: tuple[tuple[str, str, Any], ...] = (
    ("ops", "ops", Op),
    ("held", "unprunable", Remark),
    ("tied", "coupled", Remark),
)
_Label = Annotated[int, Field(ge=0, lt=2**31)]
_Dim = Annotated[int, Field(ge=0, lt=8)]
_Shape = Annotated[tuple[_Label, ...], Field(max_length=8)]
_Remark = tuple[Name, Name, Text, Count]


_Window = tuple[Annotated[int, Field(ge=-(2**31), lt=2**31)], Annotated[int, Field(ge=1, lt=2**31)]]
_Removed = tuple[Name, _Dim | None, int, Annotated[tuple[_Window, ...], Field(max_length=8)]]
_Branch = tuple[
    Name,
    Annotated[list[_Label], Field(min_length=1)],  # units
    Annotated[list[_Removed], Field(min_length=1)],
    tuple[Name, ...],  # parameters
    tuple[Name, ...],  # those that are dropped
    tuple[Count, ...],  # operations
    list[tuple[Count, int | None, Count]],  # activations
]


def _readable(number: int) -> int:
    if number != FORMAT:
        raise ValueError(f"it has format {number} and this version reads {FORMAT}: trace the model again")
    return number


@dataclass(frozen=True)
class StoredStructure(Record):
    """A structure as plain lists and numbers; a label vector is a place in `vectors`."""

    format: Annotated[int, AfterValidator(_readable)]
    input_shapes: tuple[_Shape, ...]
    n_units: _Label
    axes: list[tuple[Name, _Dim, int]]
    layers: list[tuple[Name, Name, _Dim, int]]
    gathers: list[tuple[Name, int]]
    attributes: list[tuple[Name, Name, int, Annotated[int, Field(ge=1)], _Dim | None]]
    moments: list[tuple[Name, Count, list[tuple[int, Count]]]]
    pieces: list[int]
    groups: list[tuple[Name, Annotated[list[_Label], Field(min_length=1)], tuple[Name, ...]]]
    ops: list[tuple[Name | None, _Dim, _Dim, Count, Name]]
    held: list[_Remark]
    tied: list[_Remark]
    shapes: dict[Name, _Shape]
    filters: dict[Name, _Shape]
    exempt: tuple[Name, ...]
    training_only: tuple[Name, ...]
    untouched: tuple[Name, ...]
    vectors: list[list[_Label]]
    branches: list[_Branch] = field(default_factory=list)  # 0.2.0 knew none
    uncounted: list[tuple[Name, Name]] = field(default_factory=list)  # 0.2.0 did not note them


def to_dict(structure: Structure) -> dict[str, Any]:
    """Return a structure as plain lists and numbers."""
    vectors: dict[bytes, int] = {}
    arrays: list[list[int]] = []

    def number(labels: IntArray) -> int:
        key = labels.tobytes()
        if key not in vectors:
            vectors[key] = len(arrays)
            arrays.append(labels.tolist())
        return vectors[key]

    return {
        "format": FORMAT,
        "input_shapes": [list(shape) for shape in structure.input_shapes],
        "n_units": structure.n_units,
        "axes": [[a.parameter, a.dim, number(a.labels)] for a in structure.axes],
        "layers": [[x.name, x.parameter, x.dim, number(x.labels)] for x in structure.layers],
        "gathers": [[g.buffer, number(g.in_labels)] for g in structure.gathers],
        "attributes": [[a.module, a.name, number(a.labels), a.divisor, a.place] for a in structure.attributes],
        "moments": [
            [s.module, s.fixed, [[number(labels), size] for labels, size in s.parts]] for s in structure.live_sets
        ],
        "pieces": [number(labels) for labels in structure.pieces],
        "groups": [[g.name, g.units.tolist(), list(g.layers)] for g in structure.groups],
        **{
            key: [[getattr(item, f.name) for f in fields(kind)] for item in getattr(structure, name)]
            for key, name, kind in _PLAIN
        },
        "shapes": {name: list(shape) for name, shape in structure.shapes.items()},
        "filters": {name: list(shape) for name, shape in structure.filters.items()},
        "exempt": list(structure.exempt),
        "training_only": list(structure.training_only),
        "untouched": list(structure.untouched),
        "branches": [
            [
                x.name,
                x.units.tolist(),
                [[r.module, r.dim, number(r.labels), [*map(list, r.windows)]] for r in x.removed],
                list(x.parameters),
                list(x.dropped),
                list(x.ops),
                [[n, None if labels is None else number(labels), size] for n, labels, size in x.activations],
            ]
            for x in structure.branches
        ],
        "uncounted": [[x.module, x.operation] for x in structure.uncounted],
        "vectors": arrays,
    }


def from_dict(data: Mapping[str, Any]) -> Structure:
    """Rebuild a structure from what `to_dict` returned.

    Raises:
        SchemaError: the data were not written by this version of `to_dict`, or contradict each other.
    """
    return structure_of(StoredStructure.from_dict(data))


def structure_of(stored: StoredStructure) -> Structure:
    """The structure that was stored.

    Raises:
        SchemaError: its parts contradict each other.
    """
    vectors = [readonly(values) for values in stored.vectors]

    def vector(number: int) -> IntArray:
        if not 0 <= number < len(vectors):
            raise SchemaError(f"a label vector must be in [0, {len(vectors)}), got {number}")
        return vectors[number]

    plain: dict[str, Any] = {name: tuple(kind(*item) for item in getattr(stored, key)) for key, name, kind in _PLAIN}
    structure = Structure(
        input_shapes=stored.input_shapes,
        n_units=stored.n_units,
        axes=tuple(Axis(name, dim, vector(v)) for name, dim, v in stored.axes),
        layers=tuple(Layer(name, parameter, dim, vector(v)) for name, parameter, dim, v in stored.layers),
        gathers=tuple(Gather(name, vector(v)) for name, v in stored.gathers),
        attributes=tuple(
            Attribute(m, name, vector(v), divisor, place) for m, name, v, divisor, place in stored.attributes
        ),
        live_sets=tuple(
            LiveSet(module, fixed, tuple((vector(v), size) for v, size in parts))
            for module, fixed, parts in stored.moments
        ),
        pieces=tuple(vector(v) for v in stored.pieces),
        groups=tuple(Group(name, readonly(units), layers) for name, units, layers in stored.groups),
        shapes=stored.shapes,
        filters=stored.filters,
        exempt=stored.exempt,
        training_only=stored.training_only,
        untouched=stored.untouched,
        uncounted=tuple(Uncounted(*item) for item in stored.uncounted),
        branches=tuple(
            Branch(
                name,
                readonly(units),
                tuple(Removed(module, dim, vector(v), windows) for module, dim, v, windows in removed),
                parameters,
                dropped,
                ops,
                tuple((n, None if v is None else vector(v), size) for n, v, size in activations),
            )
            for name, units, removed, parameters, dropped, ops, activations in stored.branches
        ),
        **plain,
    )
    require_consistent(structure)
    return structure
