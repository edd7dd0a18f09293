"""What was cut from the named model before the study began: `cuts.json`, a plan of surgery. Imported without torch.

Most studies are about the model as it is named, and have none.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from legr.files import write_json
from legr.structure.plans import plan_from_dict, plan_to_dict
from legr.structure.types import Plan
from legr.study.json_file import FORMAT, read_record
from legr.study.store import Study

_FILE = "cuts.json"
_SUM = "sha256"  # of all else in the file; files of earlier versions have none
REMEDY = "restore the file or make the study again"


def save_cuts(folder: Path, plan: Plan) -> None:
    """Write what was cut into the folder of a study that is being made."""
    data = {"format": FORMAT, **plan_to_dict(plan)}
    write_json(folder / _FILE, {**data, _SUM: _sum(data)}, indent=None)


def cuts_of(study: Study) -> Plan | None:
    """What was cut before the study began; None where nothing was.

    Raises:
        StudyError: the file is damaged or changed by hand, or missing from a study that had one.
    """
    return read_record(study.path / _FILE, _checked, REMEDY) if study.info.pruned_to is not None else None


def _checked(data: Mapping[str, Any]) -> Plan:
    data = dict(data)
    if data.pop(_SUM, None) not in (None, _sum(data)):
        raise ValueError("it is not as it was written")
    return plan_from_dict(data)


def _sum(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
