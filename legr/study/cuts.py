"""For a study of a network that was pruned before: the plan that cuts it from the model by name, in `cuts.json`.

A study of a model as it is has no such file. This module must not import torch.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from legr.files import write_json
from legr.schema import SchemaError
from legr.structure.plans import LARGEST_PLAN, plan_from_dict, plan_to_dict
from legr.structure.types import Plan
from legr.study.json_file import FORMAT, file_errors, read_record
from legr.study.store import Study

_FILE = "cuts.json"
_CHECKSUM = "sha256"  # of all else in the file; files of earlier versions have none
REMEDY = "restore the file or make the study again"


def save_cuts(folder: Path, plan: Plan) -> None:
    """Write the plan into the folder of a study that is being made."""
    data = {"format": FORMAT, **plan_to_dict(plan)}
    write_json(folder / _FILE, {**data, _CHECKSUM: _checksum(data)}, indent=None)


def load_cuts(study: Study) -> Plan | None:
    """The plan that was carried out before the study began; None for a study of a model as it is.

    Raises:
        StudyError: the file is damaged or changed by hand, or missing from a study that had one.
    """
    if study.info.pruned_to is None:
        return None
    path = study.within(_FILE)
    data = read_record(path, dict[str, Any], largest=LARGEST_PLAN, remedy=REMEDY)
    with file_errors(path, REMEDY):
        return _verified_plan(data)


def _verified_plan(data: dict[str, Any]) -> Plan:
    if data.pop(_CHECKSUM, None) not in (None, _checksum(data)):
        raise SchemaError("its checksum does not match: it was edited or damaged")
    return plan_from_dict(data)


def _checksum(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
