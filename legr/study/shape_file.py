"""The file of a study's constraints."""

from pathlib import Path

from legr.files import write_json
from legr.ranking.constraints import Constraints
from legr.study.json_file import FORMAT

SHAPE = "shape.json"


def write_constraints(folder: Path, constraints: Constraints) -> None:
    """Store constraints in place of those before; none leave no file."""
    if constraints.is_plain:
        (folder / SHAPE).unlink(missing_ok=True)
    else:
        write_json(folder / SHAPE, {"format": FORMAT, **constraints.to_dict()})
