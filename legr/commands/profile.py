"""Profile a device: time the layers of a study's network there, and fit the table to some whole networks.

What was timed is noted as it comes, so that a profile that was interrupted goes on.
"""

import hashlib
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import nn

from legr.bounds import Bounds
from legr.commands.original import original
from legr.commands.profile_notes import Notes, ProfileNotes
from legr.commands.provenance import provenance_of
from legr.deploy.contention import Contention
from legr.deploy.latency import conditions_here, time_session
from legr.deploy.layer_timing import time_layer
from legr.deploy.network_layers import NetworkLayers, network_layers
from legr.deploy.quantum import quantum_of
from legr.deploy.sessions import Sessions
from legr.deploy.table_fit import fit_to
from legr.deploy.template_cache import template_of
from legr.errors import SettingsError, StudyError
from legr.progress import Progress, Report, silent
from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import Constraints
from legr.ranking.order import Ranker
from legr.requests.profile import ProfileRequest
from legr.structure.cost import counts_of, original_cost, totals
from legr.structure.latency import Counts, FloatArray
from legr.structure.types import Keep, Structure
from legr.study.device_profile import (
    DeviceProfile,
    MeasuredMultiple,
    MeasuredNetwork,
    profile_names,
    read_profile,
    stored,
    write_profile,
)
from legr.study.kept_sets import keep_id
from legr.study.latency import Conditions
from legr.study.store import Study

FEWEST_PASSES, MOST_PASSES = 3, 8  # over all that is timed; the fastest counts, as other work only makes one longer
_SECONDS_OF_ALL = 150.0  # that more than the fewest passes may take
MULTIPLES = (1, 4, 8, 16)
_SECONDS = 0.05  # that a whole network is timed in one pass
_BUDGETS = (0.75, 0.5, 0.3)  # fractions of MACs of the networks that the table is fitted to
_JUDGED_AT = 0.5  # multiples are
_EVERY = (2, 3)  # every second and every third block is left out of some networks


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
        found = read_profile(study, request.file_name, study.structure)
    except StudyError:  # a damaged one is replaced
        return None
    if found.conditions != _conditions(request):
        raise SettingsError(
            f"there is a profile {found.name} already, of {found.conditions}; give this one another --name, or --again "
            "to replace it"
        )
    return found


def profile(study: Study, request: ProfileRequest, report: Report) -> DeviceProfile:
    """Make the table of this device and store it in the study.

    Raises:
        ExportError: the network cannot be exported, or not be taken apart.
    """
    name, conditions, began = request.file_name, _conditions(request), time.monotonic()
    with ProfileNotes(study, name, conditions, anew=request.again) as notes:
        report(Progress("reading the graph", 0, 1))
        subject = Subject(original(study), study.ranker, study.info.input_shape)
        made = make_profile(name, subject, conditions, notes, report).profile
        command = ["profile", "--study", study.path.name, *request.full_arguments()]
        seconds = round(time.monotonic() - began, 1)
        made = replace(made, seconds=seconds, provenance=provenance_of(command, seconds, torch.device("cpu")))
        write_profile(study, made)
        notes.forget()
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

        networks = list(_networks(subject.ranker))
        timer = _Timer(layers, time_whole, conditions, notes)
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


@dataclass(frozen=True, slots=True)
class _Network:
    """A whole network that is timed."""

    keep: Keep
    multiple: int | None = None  # it says what rounding to this gives


class _Timer:
    """Times layers and whole networks, pass by pass."""

    def __init__(
        self, layers: NetworkLayers, time_whole: Callable[[Keep], float], conditions: Conditions, notes: Notes
    ) -> None:
        self._layers, self._time_whole, self._notes = layers, time_whole, notes
        self._threads, self._batch = conditions.threads, conditions.batch
        found = notes.value("quantum", lambda: np.array([quantum_of(threads=self._threads, batch=self._batch)]))
        self.quantum = int(found[0])

    def run(self, keeps: Sequence[Keep], report: Report) -> tuple[dict[bytes, FloatArray], FloatArray]:
        """Milliseconds of every layer at its points, by key, and of every network; the fastest of all passes."""
        layers = {f"layer {hashlib.sha256(key).hexdigest()[:16]}": key for key in self._layers.distinct}
        networks = {f"network {keep_id(keep)}": keep for keep in keeps}
        work = {name: partial(self._time_layer, key) for name, key in layers.items()}
        work |= {name: partial(self._time_network, keep) for name, keep in networks.items()}
        passes = FEWEST_PASSES
        started, timed, turn = time.monotonic(), 0, 0
        while turn < passes:
            forth = list(work.items())
            # Every second pass goes back, as a machine that slows down for a while slows what comes last.
            for number, (name, compute) in enumerate(forth[::-1] if turn % 2 else forth, 1):
                timed += not self._notes.knows(f"{name} {turn}")
                self._timed(f"{name} {turn}", compute)
                done = turn * len(work) + number
                left = (time.monotonic() - started) / timed * (passes * len(work) - done) if timed else None
                report(Progress("timing layers and networks", done, passes * len(work), left))
            if turn == 0:
                spent = sum(float(self._notes.value(f"{name} 0 took", _missing)[0]) for name in work)
                passes = int(np.clip(_SECONDS_OF_ALL / spent, FEWEST_PASSES, MOST_PASSES))
            turn += 1
        fastest = {
            name: np.min([self._notes.value(f"{name} {t}", _missing) for t in range(passes)], axis=0) for name in work
        }
        times = {key: fastest[name].reshape([len(axis) for axis in self._points(key)]) for name, key in layers.items()}
        return times, np.array([fastest[f"network {keep_id(keep)}"][0] for keep in keeps])

    def _timed(self, name: str, compute: Callable[[], FloatArray]) -> None:
        """Note values, and before them how many seconds they took."""
        if not self._notes.knows(name):
            began = time.monotonic()
            values = compute()
            self._notes.value(f"{name} took", lambda: np.array([max(time.monotonic() - began, 1e-6)]))
            self._notes.value(name, lambda: values)

    def _points(self, key: bytes) -> list[Counts]:
        return self._layers.points(self._layers.distinct[key], self.quantum)

    def _time_layer(self, key: bytes) -> FloatArray:
        layer, opsets = self._layers.distinct[key], self._layers.opsets
        return time_layer(layer, self._points(key), opsets, threads=self._threads, batch=self._batch)

    def _time_network(self, keep: Keep) -> FloatArray:
        return np.array([self._time_whole(keep)])


def _missing() -> FloatArray:
    raise AssertionError("it was timed")


def _networks(ranker: Ranker) -> Iterator[_Network]:
    """Whole networks that the table is fitted to: of two rankings, rounded to each multiple and not, each once."""
    seen = set()
    for network in _all_networks(ranker):
        if keep_id(network.keep) not in seen:
            seen.add(keep_id(network.keep))
            yield network


def _all_networks(ranker: Ranker) -> Iterator[_Network]:
    structure, shapes = ranker.structure, [Constraints(multiple=multiple) for multiple in MULTIPLES]
    for shape in shapes:
        curve = BudgetCurve(structure, ranker.rank(constraints=shape))
        yield _Network(curve.at(macs=max(_JUDGED_AT, curve.floor)), shape.multiple)
    yield _Network(Keep(np.ones(structure.n_units, dtype=bool)))
    for shape in shapes:
        for ranking in (ranker.rank(constraints=shape), ranker.rank_uniform(shape)):
            curve = BudgetCurve(structure, ranking)
            for budget in _BUDGETS:
                yield _Network(curve.at(macs=max(budget, curve.floor)))
    yield from _without_blocks(ranker)


def _without_blocks(ranker: Ranker) -> Iterator[_Network]:
    """Networks of fewer layers: they tell what each layer takes beside its own time."""
    blocks = [branch.name for branch in ranker.structure.branches]
    for every in _EVERY if len(blocks) > 1 else ():
        for multiple in (MULTIPLES[0], MULTIPLES[-1]):
            constraints = Constraints(multiple=multiple, removed_blocks=tuple(blocks[::every]))
            curve = BudgetCurve(ranker.structure, ranker.rank(constraints=constraints))
            for step in (0, len(curve.macs) // 2):
                yield _Network(curve.keep(step))


def _conditions(request: ProfileRequest) -> Conditions:
    return conditions_here(request.runtime, torch.device("cpu"), request.threads, request.batch)
