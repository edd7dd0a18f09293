"""`structure.json` of a study: units, costs and filter norms of its network. No torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field
from safetensors import SafetensorError, safe_open

from legr.errors import StudyError
from legr.files import write_json
from legr.held import shown
from legr.outside import require_plain_file
from legr.ranking.order import Ranker
from legr.ranking.types import Norms
from legr.record import Record
from legr.schema import Real, SchemaError
from legr.structure.codec import LARGEST_STRUCTURE, StoredStructure, structure_of, to_dict
from legr.structure.types import Structure
from legr.study.json_file import REMEDY, file_errors, read_record

WEIGHTS, NETWORK = "weights.safetensors", "structure.json"


@dataclass(frozen=True)
class _StoredNetwork(Record):
    structure: StoredStructure
    norms: tuple[tuple[Annotated[Real, Field(ge=0)], ...], ...]  # of the filters of each layer


def save_network(folder: Path, structure: Structure, norms: Norms) -> None:
    """Write the file of a study that is being made."""
    data = {"structure": to_dict(structure), "norms": [values.tolist() for values in norms.values]}
    write_json(folder / NETWORK, data, indent=None)


def load_ranker(folder: Path) -> Ranker:
    """Read the file of a study: what ranks its network.

    Raises:
        StudyError: it is missing, damaged, or of another network than the weights beside it.
    """
    path = folder / NETWORK
    stored = read_record(path, _StoredNetwork, largest=LARGEST_STRUCTURE)
    with file_errors(path, REMEDY):
        norms = Norms(tuple(np.array(values, dtype=np.float64) for values in stored.norms))
        ranker = Ranker(structure_of(stored.structure), norms)  # refuses norms of another network
    _require_weights_of(folder / WEIGHTS, ranker.structure)
    return ranker


def _require_weights_of(weights: Path, structure: Structure) -> None:
    """Refuse a structure of another network than the weights, by the shapes in their header.

    Where they are missing or damaged nothing is compared: whoever loads them says so.
    """
    try:
        require_plain_file(weights)
        with safe_open(weights, framework="np") as file:
            stored = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    except (OSError, SafetensorError, SchemaError):
        return
    for name, shape in structure.shapes.items():
        if stored.get(name, shape) != tuple(shape):
            other = f"{name} has shape {list(stored[name])} in it, and {list(shape)} in structure.json"
            break
    else:
        if stored.keys() & structure.shapes.keys() or not structure.shapes:
            return
        other = "no parameter of structure.json is in it"
    raise StudyError(
        f"{Path(shown(str(weights.parent))).name}/structure.json is of another network than {weights.name} ({other}); "
        "restore both from one copy of the study, or make it again"
    )
