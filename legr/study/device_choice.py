"""The device that a budget or a search is for: its profile, and which measurements of it are meant."""

import hashlib
import json

from legr.errors import BudgetError
from legr.ranking.limits import Budget
from legr.structure.types import LatencyModel, Structure
from legr.study.device_profile import DeviceProfile, profile_names, read_device
from legr.study.folder import StudyFolder


def device_of(study: StudyFolder, structure: Structure, budget: Budget | None) -> LatencyModel | None:
    """What predicts latency for a budget; None where it is for no device.

    Raises:
        BudgetError: it limits latency and names no device.
        StudyError: there is no such profile, it is damaged, or of another network.
    """
    if budget is None or not budget.needs_device:
        return None
    if not budget.device_profile:
        raise BudgetError(f"a budget of {budget.words} depends on the device; {advice(study)}")
    return read_device(study, budget.device_profile, structure).table


def advice(study: StudyFolder) -> str:
    """How to name a device of a study."""
    names = profile_names(study)
    if names:
        return f"give --device-profile {' or '.join(names)}"
    return f"measure one with `python -m legr profile --study {study.path}`, and give its --device-profile"


def profile_id(profile: DeviceProfile) -> str:
    """A short name for what was measured: another time on the same device has another."""
    return hashlib.sha256(json.dumps(profile.to_dict(), sort_keys=True).encode()).hexdigest()[:12]
