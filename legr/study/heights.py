"""What the networks of a study cost with images of other heights: `heights.json`. No torch.

MACs of an operation follow the size of images, those of a kept set follow both: one number an operation says all.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from legr.errors import StudyError
from legr.files import write_json
from legr.record import Record
from legr.schema import Count, SchemaError, Several
from legr.structure.consistency import require_consistent
from legr.structure.types import Structure
from legr.study.json_file import FORMAT, DamagedFileError, read_items
from legr.study.records import Side
from legr.study.store import Study

HEIGHTS_FILE = "heights.json"


@dataclass(frozen=True)
class CostsAtHeight(Record):
    """MACs of the operations of the original with images of one height."""

    height: Side
    macs: Several[Count]  # of each of the structure's operations, as `Op.macs`


@dataclass(frozen=True)
class _Stored(Record):
    costs: Several[CostsAtHeight]


def other_height(study: Study, height: int | None) -> int | None:
    """A height of images; None where it is the study's own."""
    return None if height == study.info.input_shape[1] else height


def read_heights(folder: Path) -> tuple[list[CostsAtHeight], list[str]]:
    """The costs at other heights that a study knows, and a sentence for what is damaged.

    Raises:
        StudyError: a newer version wrote the file.
    """
    path = folder / HEIGHTS_FILE
    if not path.exists():
        return [], []
    try:
        stored, damaged = read_items(path, _Stored, "costs")
    except DamagedFileError as error:
        return [], [str(error)]
    return list(stored.costs), damaged


def add_heights(study: Study, costs: list[CostsAtHeight]) -> None:
    """Store costs; those of the same height are replaced.

    Raises:
        StudyError: the study is a sample.
    """
    study.require_writable()
    with study.lock("heights"):
        path, new = study.within(HEIGHTS_FILE), {cost.height for cost in costs}
        kept = [cost for cost in read_heights(path.parent)[0] if cost.height not in new]
        both = sorted([*kept, *costs], key=lambda cost: -cost.height)
        write_json(path, {"format": FORMAT, "costs": [cost.to_dict() for cost in both]})


def structures_by_height(study: Study) -> dict[int, Structure]:
    """The study's structure with the MACs of images of each height that is known, the largest first, its own included.

    Activation memory is known of its own height alone: that of the others is not to be read off them.
    """
    own, structure = study.info.input_shape[1], study.structure
    try:
        known = read_heights(study.within(HEIGHTS_FILE).parent)[0]
    except StudyError:  # of a newer version
        known = []
    found = {cost.height: _with_macs(structure, cost) for cost in known} | {own: structure}
    return {height: one for height, one in sorted(found.items(), reverse=True) if one is not None}


def _with_macs(structure: Structure, costs: CostsAtHeight) -> Structure | None:
    """The structure with other MACs; None where they are of another network."""
    if len(costs.macs) != len(structure.ops):
        return None
    ops = tuple(replace(op, macs=macs) for op, macs in zip(structure.ops, costs.macs, strict=True))
    found = replace(structure, ops=ops)
    try:
        require_consistent(found)
    except SchemaError:
        return None
    return found
