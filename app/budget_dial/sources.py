"""Where the figures of the dial come from, in words."""

from collections.abc import Sequence

from app.budget_dial.devices import is_of_another_machine
from legr.charts.measurements import Measurements
from legr.ranking.constraints import Constraints
from legr.structure.cost import uncounted_note
from legr.structure.types import Uncounted
from legr.study.device_profile import ProfiledDevice
from legr.study.records import RankingName
from legr.study.supernets import SupernetRun, off_the_line
from legr.words import unsteady_words

FLOPS_NOTE = "FLOPs here are MACs: one multiply-add = 1."


def sources_line(
    measured: Measurements,
    ranking: RankingName,
    constraints: Constraints,
    uncounted: Sequence[Uncounted] = (),
    device: ProfiledDevice | None = None,
) -> str:
    """The constraints, where latency and accuracy come from, and what the MACs leave out, in one line.

    Args:
        device: that is shown, where it has a profile.
    """
    flops = f"{FLOPS_NOTE} {uncounted_note(uncounted)}".strip()
    given = f"Constraints: {constraints.words}. " if constraints.words else ""
    if not measured.line(ranking):
        which = " of such networks" if given else " of this ranking" if measured.points else ""
        together = _together_line(measured.supernets.get(ranking))
        what = f"Accuracy{' as cut' if together else ''}{'' if device else ' and latency'}"
        between = "~: read between two of them. " if together else ""
        return f"{given}{what}{which}: not measured. {_profile_line(device)}{together}{between}{flops}"
    where = f"{conditions_line(measured)} " if measured.conditions else ""
    where += _profile_line(device) + _together_line(measured.supernets.get(ranking))
    if measured.contended:
        where += "Other programs were using the cores, so it is too long: measure again when the machine is idle. "
    elif measured.unsteady:
        where += f"{unsteady_words(measured.unsteady).capitalize()}: measure again when the machine is idle. "
    return f"{given}{where}~: read between two measured networks of this ranking. {flops}"


def conditions_line(measured: Measurements) -> str:
    """The conditions of the shown latencies."""
    elsewhere = ", which is not this machine" if is_of_another_machine(measured.conditions) else ""
    return f"Latency: {measured.conditions}{elsewhere}; never estimated from MACs."


def _together_line(supernet: SupernetRun | None) -> str:
    """What is known of the networks that were trained together; "" where there are none."""
    if supernet is None:
        return ""
    measured = sum(point.macs_fraction < 1 for point in supernet.points)
    off = off_the_line(supernet.points, supernet.between)
    between = f"{off.words}. " if off else ""
    return (
        "Trained together: one training has made the weights of every budget from "
        f"{100 * supernet.smallest:.0f} % up, and was measured at {measured} of them. {between}"
    )


def _profile_line(device: ProfiledDevice | None) -> str:
    """How predicted latencies are made, and how good they are; "" where there are none."""
    if device is None:
        return ""
    busy = "Other programs were using the cores then: profile again when the machine is idle. "
    busy = busy if device.profile.contended else ""
    median, most = (f"{100 * error:.0f} %" for error in device.profile.errors)
    return (
        f"Predicted latency: from the times of the layers in {device.profile.conditions.runtime}, in the profile "
        f"{device.profile.name}; of whole networks it is {median} off in the median, 95 % are within {most}. {busy}"
    )
