"""The device profiles of a study, read once and shared by all tabs: what its networks take on a device, predicted."""

from contextlib import suppress

import numpy as np
import streamlit as st

from legr.charts.measurements import device_name
from legr.study.device_profile import FOLDER, ProfiledDevice, readable_devices
from legr.study.store import Study


def profiles_stamp(study: Study) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever a profile of a study is written, also one in the place of another."""
    found = []
    for path in study.files(FOLDER, "*.json"):
        with suppress(FileNotFoundError):  # removed meanwhile
            about = path.stat()
            found.append((path.name, about.st_mtime_ns, about.st_size))
    return tuple(found)


def profiled_devices(study: Study) -> dict[str, ProfiledDevice]:
    """The devices that have a profile, by the name of their conditions; of several profiles of one the first."""
    stamp = profiles_stamp(study)
    if not stamp:  # then no page needs the structure for it
        return {}
    return _devices(str(study.path), (study.path / "structure.json").stat().st_mtime_ns, stamp)


@st.cache_resource(max_entries=24, show_spinner=False)
def _devices(path: str, structure: int, stamp: object) -> dict[str, ProfiledDevice]:
    study = Study.open(path)
    found: dict[str, ProfiledDevice] = {}
    whole = np.array([[len(labels)] for labels in study.structure.vectors], dtype=np.int64)
    for device in readable_devices(study, study.structure):
        if np.isfinite(device.table.milliseconds(whole)).all():  # numbers may be damaged that each are possible
            found.setdefault(device_name(device.profile.conditions), device)
    return found
