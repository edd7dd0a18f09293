"""The device whose latencies the pages show, measured and predicted, and how one adds another."""

import shlex

from app import state
from app.curves import measurements
from app.profiles import profiled_devices
from legr.charts.measurements import device_name
from legr.machine import onnxruntime_name, processor_name
from legr.requests.profile import ProfileRequest, default_name
from legr.study.catalog import studies_folder
from legr.study.device_profile import DeviceProfile, ProfiledDevice, readable_devices
from legr.study.latency import Conditions
from legr.study.store import Study

DEPLOYED = "ONNX Runtime"  # the runtime that networks are exported for


def device_names(study: Study) -> list[str]:
    """Conditions under which networks were timed, or that have a profile; the first are shown where none are chosen.

    First those with a profile, and of these and the others those in the runtime that networks are exported for; then
    those of most latencies.
    """
    profiled, timed = profiled_devices(study), measurements(study).devices
    conditions = {**timed, **{name: device.profile.conditions for name, device in profiled.items()}}
    return sorted(conditions, key=lambda name: (name not in profiled, not _is_deployed(conditions[name])))


def chosen_device(study: Study) -> str:
    """The name of the conditions whose latencies are shown; "": those of most latencies, where none was chosen."""
    names = device_names(study)
    chosen = state.view("device", names) if names else ""
    return "" if chosen in list(measurements(study).devices)[:1] else chosen


def profiled_device(study: Study) -> ProfiledDevice | None:
    """The device that is shown, where it has a profile."""
    names = device_names(study)
    return profiled_devices(study).get(state.view("device", names)) if names else None


def has_deployed_latencies(study: Study, device: str) -> bool:
    """Whether the latencies of a device, as `chosen_device` names it, tell of what is exported."""
    conditions = measurements(study, device).conditions
    return conditions is not None and _is_deployed(conditions)


def _is_deployed(conditions: Conditions) -> bool:
    return conditions.runtime.startswith(DEPLOYED)


def is_of_another_machine(conditions: Conditions | None) -> bool:
    """Whether a latency was taken on another machine than this one, as far as is known: no page asks a GPU its name."""
    if conditions is None or conditions.device != "cpu" or not conditions.machine:
        return False
    return conditions.machine != processor_name()


def own_profile(study: Study) -> DeviceProfile | None:
    """The profile that `legr profile` without options makes here; None where the study has none of these conditions."""
    device = profiled_devices(study).get(device_name(_usual_conditions()))
    return device.profile if device else None


def own_request(study: Study) -> ProfileRequest:
    """What makes the profile of this machine, anew where there is one; one of other conditions keeps its name."""
    usual, own = default_name(_usual_conditions()), own_profile(study)
    if own is not None:
        return ProfileRequest(name=None if own.name == usual else own.name, again=True)
    taken = usual in [device.profile.name for device in readable_devices(study, study.structure)]
    return ProfileRequest(name=f"{usual}-{onnxruntime_name().replace(' ', '-')}") if taken else ProfileRequest()


def _usual_conditions() -> Conditions:
    """Those of `legr profile` without options."""
    return Conditions(onnxruntime_name(), "cpu", threads=1, batch=1, machine=processor_name())


def steps_to_add_a_device(study: Study) -> list[tuple[str, str]]:
    """How one measures a study on another machine: words, and what to copy of each step."""
    name = study.path.name
    return [
        ("Copy the study to that machine, where LeGR and the images are: the folder", str(study.path)),
        (
            "Predict every network there (on an accelerator with --runtime pytorch):",
            f"python -m legr profile --study {shlex.quote(name)}",
        ),
        (
            "Measure some there (on an accelerator with --runtime pytorch):",
            f"python -m legr measure --study {shlex.quote(name)}",
        ),
        ("Copy the folder back to", str(studies_folder() / name)),
    ]
