"""A structure as JSON and back, so that a page can use it without tracing (or torch).

Each distinct label vector is written once and referred to by number, as many axes share one.
"""

from dataclasses import fields
from typing import Any

from legr.structure.types import (
    Attribute,
    Axis,
    Gather,
    Group,
    IntArray,
    Layer,
    LiveSet,
    Op,
    Remark,
    Structure,
    Uncounted,
    readonly,
)

FORMAT = 2
#: (JSON key, field of `Structure`, class of its items); the items are written as the list of their fields.
_PLAIN: tuple[tuple[str, str, Any], ...] = (
    ("ops", "ops", Op),
    ("held", "unprunable", Remark),
    ("tied", "coupled", Remark),
)


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
        "uncounted": [[x.module, x.operation] for x in structure.uncounted],
        "vectors": arrays,
    }


def from_dict(data: dict[str, Any]) -> Structure:
    """Rebuild a structure from what `to_dict` returned.

    Raises:
        KeyError, TypeError, ValueError: the data was not written by this version of `to_dict`.
    """
    if data["format"] != FORMAT:
        raise ValueError(f"it has format {data['format']} and this version reads {FORMAT}: trace the model again")
    vectors = [readonly(values) for values in data["vectors"]]
    plain: dict[str, Any] = {name: tuple(kind(*item) for item in data[key]) for key, name, kind in _PLAIN}
    return Structure(
        input_shapes=tuple(tuple(shape) for shape in data["input_shapes"]),
        n_units=data["n_units"],
        axes=tuple(Axis(name, dim, vectors[v]) for name, dim, v in data["axes"]),
        layers=tuple(Layer(name, parameter, dim, vectors[v]) for name, parameter, dim, v in data["layers"]),
        gathers=tuple(Gather(name, vectors[v]) for name, v in data["gathers"]),
        attributes=tuple(
            Attribute(m, name, vectors[v], divisor, place) for m, name, v, divisor, place in data["attributes"]
        ),
        live_sets=tuple(
            LiveSet(module, fixed, tuple((vectors[v], size) for v, size in parts))
            for module, fixed, parts in data["moments"]
        ),
        pieces=tuple(vectors[v] for v in data["pieces"]),
        groups=tuple(Group(name, readonly(units), tuple(layers)) for name, units, layers in data["groups"]),
        shapes={name: tuple(shape) for name, shape in data["shapes"].items()},
        filters={name: tuple(shape) for name, shape in data["filters"].items()},
        exempt=tuple(data["exempt"]),
        training_only=tuple(data["training_only"]),
        untouched=tuple(data["untouched"]),
        uncounted=tuple(Uncounted(*item) for item in data.get("uncounted", ())),  # 0.2.0 did not note them
        **plain,
    )
