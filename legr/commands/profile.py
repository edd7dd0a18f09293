"""Profile a device: time the layers of a study's network there, and fit the table to some whole networks."""

import os
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
from legr.deploy.graph_network import GraphNetwork
from legr.deploy.latency import conditions_here
from legr.deploy.module_network import ModuleNetwork
from legr.deploy.profile_networks import networks_to_fit
from legr.deploy.profile_notes import Notes, ProfileNotes
from legr.deploy.profile_passes import Network, Timer
from legr.deploy.table_fit import fit_to
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
from legr.study.latency import Conditions, Runtime
from legr.study.store import Study


def finished_profile(study: Study, request: ProfileRequest, device: torch.device) -> DeviceProfile | None:
    """The stored profile where it is what is asked for; None where there is something to do.

    Args:
        device: where PyTorch runs the network; ONNX Runtime runs it on the processor.

    Raises:
        SettingsError: the request asks for more than this machine has, or the name is that of other conditions.
    """
    Bounds(1, os.cpu_count() or 1).require("threads", request.threads)
    conditions = _conditions(request, device)
    name = request.file_name(conditions)
    if request.again or name not in profile_names(study):
        return None
    try:
        found = read_device(study, name, study.structure).profile
    except StudyError:  # a damaged one is replaced
        return None
    if found.conditions != conditions:
        raise SettingsError(
            f"there is a profile {found.name} already, of {found.conditions}; give this one another --name, or --again "
            "to replace it"
        )
    return found


def profile(study: Study, request: ProfileRequest, device: torch.device, report: Report) -> DeviceProfile:
    """Make the table of this device and store it in the study, unless another process has just made it.

    Args:
        device: as for `finished_profile`.

    Raises:
        ExportError: the network cannot be exported, or not be taken apart.
        SettingsError: as `finished_profile` says.
    """
    conditions = _conditions(request, device)
    with ProfileNotes(study, request.file_name(conditions), conditions, anew=request.again) as notes:
        made = finished_profile(study, request, device)  # again, as jobs of one device waited for each other
        if made is None:
            made = _make_and_store(study, request, device, notes, report)
        notes.forget()
    return made


def _make_and_store(
    study: Study, request: ProfileRequest, device: torch.device, notes: Notes, report: Report
) -> DeviceProfile:
    began, conditions = time.monotonic(), _conditions(request, device)
    report(Progress("taking the network apart", 0, 1))
    subject = Subject(original(study), study.ranker, study.info.input_shape)
    network = network_in(request.runtime, subject, device, threads=request.threads, batch=request.batch)
    made = make_profile(request.file_name(conditions), subject, network, conditions, notes, report).profile
    command = ["profile", "--study", study.path.name, *request.full_arguments()]
    seconds = round(time.monotonic() - began, 1)
    made = replace(made, seconds=seconds, provenance=provenance_of(command, seconds, device))
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


def network_in(runtime: Runtime, subject: Subject, device: torch.device, *, threads: int, batch: int) -> Network:
    """The network as a runtime runs it.

    Args:
        device: where PyTorch runs it.

    Raises:
        ExportError: the network cannot be exported, or not be taken apart.
    """
    model, structure, shape = subject.model, subject.structure, subject.input_shape
    if runtime == "pytorch":
        return ModuleNetwork(model, structure, shape, device, threads=threads, batch=batch)
    return GraphNetwork(model, structure, shape, threads=threads, batch=batch)


def make_profile(
    name: str,
    subject: Subject,
    network: Network,
    conditions: Conditions,
    notes: Notes,
    report: Report = silent,
    others: Sequence[Keep] = (),
) -> Profiled:
    """Time the layers of a network, and whole networks, and fit.

    Args:
        network: that of the subject, as a runtime runs it.
        others: networks that are timed in the same passes and not fitted to, to judge the profile by.

    Raises:
        ExportError: a layer cannot be timed alone.
    """
    began, structure = time.monotonic(), subject.structure
    with Contention() as contention:
        fitted_to = list(networks_to_fit(subject.ranker))
        timer = Timer(network, notes)
        times, milliseconds = timer.run([*(fitted.keep for fitted in fitted_to), *others], report)
    milliseconds, left_out = milliseconds[: len(fitted_to)], milliseconds[len(fitted_to) :]
    table = network.layers.table(times, timer.quantum)
    counts = counts_of(structure, *(fitted.keep for fitted in fitted_to))
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
            MeasuredMultiple(fitted.multiple, round(ms, 4))
            for fitted, ms in zip(fitted_to, milliseconds.tolist(), strict=True)
            if fitted.multiple
        ),
        seconds=round(time.monotonic() - began, 1),
        contended=conditions.device == "cpu" and contention.slows(conditions.threads),
    )
    return Profiled(made, left_out)


def _conditions(request: ProfileRequest, device: torch.device) -> Conditions:
    return conditions_here(request.runtime, device, request.threads, request.batch)
