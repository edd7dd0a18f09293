"""The device whose latencies the pages show, and how one adds another."""

import shlex

from app import state
from app.curves import measurements
from legr.machine import processor_name
from legr.study.catalog import studies_folder
from legr.study.latency import Conditions
from legr.study.store import Study


def chosen_device(study: Study) -> str:
    """The name of the conditions whose latencies are shown; "": those of most latencies, where none was chosen."""
    names = list(measurements(study).devices)
    chosen = state.view("device", names) if names else ""
    return "" if chosen in names[:1] else chosen


def is_of_another_machine(conditions: Conditions | None) -> bool:
    """Whether a latency was taken on another machine than this one, as far as is known: no page asks a GPU its name."""
    if conditions is None or conditions.device != "cpu" or not conditions.machine:
        return False
    return conditions.machine != processor_name()


def steps_to_add_a_device(study: Study) -> list[tuple[str, str]]:
    """How one measures a study on another machine: words, and what to copy of each step."""
    name = study.path.name
    return [
        ("Copy the study to that machine, where LeGR and the images are: the folder", str(study.path)),
        (
            "Measure it there (on an accelerator with --runtime pytorch):",
            f"python -m legr measure --study {shlex.quote(name)}",
        ),
        ("Copy the folder back to", str(studies_folder() / name)),
    ]
