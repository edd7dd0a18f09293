"""Profile a device: time the layers of a study's network there, and fit the table to some whole networks."""

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from legr.bounds import Bounds
from legr.commands.original import original
from legr.commands.provenance import provenance_of
from legr.deploy.contention import Contention
from legr.deploy.latency import conditions_here, time_session
from legr.deploy.network_layers import network_layers
from legr.deploy.profile_networks import networks_to_fit
from legr.deploy.profile_notes import Notes, ProfileNotes
from legr.deploy.profile_passes import Timer
from legr.deploy.sessions import Sessions
from legr.deploy.table_fit import fit_to
from legr.deploy.template_cache import template_of
from legr.errors import SettingsError, StudyError
from legr.progress import Progress, Report, silent
from legr.ranking.order import Ranker
from legr.requests.profile import ProfileRequest
from legr.structure.cost import counts_of, original_cost, totals
from legr.structure.latency import FloatArray
from legr.structure.types import Keep, Structure
from legr.study.device_profile import (
    DeviceProfile,
    MeasuredMultiple,
    MeasuredNetwork,
    profile_names,
    read_device,
    stored,
    write_profile,
)
from legr.study.latency import Conditions
from legr.study.store import Study

_SECONDS = 0.05  # that a whole network is timed in one pass


def finished_profile(study: Study, request: ProfileRequest) -> DeviceProfile | None:
    """The stored profile where it is what is asked for; None where there is something to do.

    Raises:
        SettingsError: the request asks for more than this machine has, or the name is that of other conditions.
    """
    Bounds(1, os.cpu_count() or 1).require("threads", request.threads)
    if request.runtime != "onnxruntime":
        raise SettingsError("runtime must be onnxruntime, whose layers can be timed alone, got pytorch")
    if request.again or request.file_name not in profile_names(study):
        return None
    try:
        found = read_device(study, request.file_name, study.structure).profile
    except StudyError:  # a damaged one is replaced
        return None
    if found.conditions != _conditions(request):
        raise SettingsError(
            f"there is a profile {found.name} already, of {found.conditions}; give this one another --name, or --again "
            "to replace it"
        )
    return found


def profile(study: Study, request: ProfileRequest, report: Report) -> DeviceProfile:
    """Make the table of this device and store it in the study, unless another process has just made it.

    Raises:
        ExportError: the network cannot be exported, or not be taken apart.
        SettingsError: as `finished_profile` says.
    """
    with ProfileNotes(study, request.file_name, _conditions(request), anew=request.again) as notes:
        made = finished_profile(study, request)  # again, as jobs of one device have waited for each other by now
        if made is None:
            made = _make_and_store(study, request, notes, report)
        notes.forget()
    return made


def _make_and_store(study: Study, request: ProfileRequest, notes: Notes, report: Report) -> DeviceProfile:
    began = time.monotonic()
    report(Progress("reading the graph", 0, 1))
    subject = Subject(original(study), study.ranker, study.info.input_shape)
    made = make_profile(request.file_name, subject, _conditions(request), notes, report).profile
    command = ["profile", "--study", study.path.name, *request.full_arguments()]
    seconds = round(time.monotonic() - began, 1)
    made = replace(made, seconds=seconds, provenance=provenance_of(command, seconds, torch.device("cpu")))
    write_profile(study, made)
    return made


@dataclass(frozen=True)
class Subject:
    """The network whose layers are timed."""

    model: nn.Module
    ranker: Ranker
    input_shape: tuple[int, int, int]

    @property
    def structure(self) -> Structure:
        """Units and costs of the network."""
        return self.ranker.structure


@dataclass(frozen=True)
class Profiled:
    """A profile, and networks that it was not fitted to."""

    profile: DeviceProfile
    others: FloatArray  # milliseconds, float64[N]


def make_profile(
    name: str,
    subject: Subject,
    conditions: Conditions,
    notes: Notes,
    report: Report = silent,
    others: Sequence[Keep] = (),
) -> Profiled:
    """Time the layers of a network, and whole networks, and fit.

    Args:
        others: networks that are timed in the same passes and not fitted to, to judge the profile by.

    Raises:
        ExportError: the network cannot be exported, or not be taken apart.
    """
    began, structure, shape = time.monotonic(), subject.structure, subject.input_shape
    with Contention() as contention:
        template = template_of(subject.model, structure, shape)
        layers = network_layers(subject.model, structure, template, conditions.batch)
        sessions = Sessions(
            subject.model, structure, shape, template, threads=conditions.threads, batch=conditions.batch
        )

        def time_whole(keep: Keep) -> float:
            times = time_session(sessions.of(keep), shape, batch=conditions.batch, seconds=_SECONDS)
            return statistics.median(times) * 1e3

        networks = list(networks_to_fit(subject.ranker))
        timer = Timer(layers, time_whole, conditions, notes)
        times, milliseconds = timer.run([*(network.keep for network in networks), *others], report)
    milliseconds, left_out = milliseconds[: len(networks)], milliseconds[len(networks) :]
    table = layers.table(times, timer.quantum)
    counts = counts_of(structure, *(network.keep for network in networks))
    shares = totals(structure, counts)[0] / original_cost(structure).macs
    fit, predicted = fit_to(np.array(table.features(counts)).T, milliseconds)
    made = stored(
        name,
        conditions,
        structure,
        replace(table, fit=fit),
        networks=tuple(
            MeasuredNetwork(round(share, 4), round(ms, 4), round(guess, 4))
            for share, ms, guess in zip(shares.tolist(), milliseconds.tolist(), predicted.tolist(), strict=True)
        ),
        multiples=tuple(
            MeasuredMultiple(network.multiple, round(ms, 4))
            for network, ms in zip(networks, milliseconds.tolist(), strict=True)
            if network.multiple
        ),
        seconds=round(time.monotonic() - began, 1),
        contended=contention.slows(conditions.threads),
    )
    return Profiled(made, left_out)


def _conditions(request: ProfileRequest) -> Conditions:
    return conditions_here(request.runtime, torch.device("cpu"), request.threads, request.batch)
