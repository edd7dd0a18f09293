"""What had been cut from the model that a study names before the study began: `cuts.json`.

It does not know how a cut is carried out; no torch. Most studies are about the model as it is named, and have none.
"""

from pathlib import Path

from legr.files import write_json
from legr.structure.plans import plan_from_dict, plan_to_dict
from legr.structure.types import Plan
from legr.study.reading import FORMAT, read_record
from legr.study.store import Study

_FILE = "cuts.json"


def save_cuts(folder: Path, plan: Plan) -> None:
    """Write what was cut into the folder of a study that is being made."""
    write_json(folder / _FILE, {"format": FORMAT, **plan_to_dict(plan)}, indent=None)


def cuts_of(study: Study) -> Plan | None:
    """What was cut before the study began; None where nothing was.

    Raises:
        StudyError: the file is damaged, or missing from a study that had one.
    """
    return read_record(study.path / _FILE, plan_from_dict) if study.info.pruned_to is not None else None
