"""Latencies of pruned networks, in turns, in the runtime that is asked for."""

import logging
import statistics
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from legr.deploy.contention import Contention
from legr.deploy.latency import conditions_here, is_steady, latency_of, time_forward, time_session
from legr.deploy.sessions import Sessions
from legr.deploy.template_cache import template_or_none
from legr.errors import ExportError
from legr.progress import Progress, Report, silent
from legr.structure.surgery import prune
from legr.structure.types import Keep
from legr.study.kept_sets import keep_id
from legr.study.known import measured_points
from legr.study.latency import Conditions, Latency, Runtime
from legr.study.store import Study

logger = logging.getLogger(__name__)

_TURNS, _FURTHER_TURNS, _SECONDS_A_TURN = 5, 10, 0.05
Key = TypeVar("Key", bound=Hashable)
Network = TypeVar("Network")


def in_turns(
    timer: Callable[[Network], list[float]],
    networks: Mapping[Key, Network],
    conditions: Conditions,
    report: Report,
) -> dict[Key, Latency]:
    """Latency of every network; taken in turns, so that a slow minute of the machine slows all of them alike.

    Networks whose times differ much get further turns: what else a machine does makes times longer, never shorter, so
    the turns with the shortest times count.

    Args:
        timer: of one of the networks, which are whatever it takes; see `timer_of`, which takes kept sets.
    """
    turns: dict[Key, list[list[float]]] = {item: [] for item in networks}
    with Contention() as contention:
        for turn in range(_TURNS + _FURTHER_TURNS):
            stage, done, total = "timing the networks", turn + 1, _TURNS
            due = list(networks)
            if turn >= _TURNS:
                stage, done, total = "timing again what varied", turn + 1 - _TURNS, _FURTHER_TURNS
                due = [item for item in networks if not is_steady(_counted(turns[item]))]
            if not due:
                break
            report(Progress(stage, done, total))
            for item in due:
                turns[item].append(timer(networks[item]))
    return {item: latency_of(_counted(taken), contention, conditions) for item, taken in turns.items()}


def _counted(turns: Sequence[Sequence[float]]) -> list[float]:
    """The times that count, of the turns of one network."""
    return [seconds for turn in sorted(turns, key=statistics.median)[:_TURNS] for seconds in turn]


def timer_of(
    runtime: Runtime,
    study: Study,
    model: nn.Module,
    conditions: Conditions,
    device: torch.device,
    *,
    shape: tuple[int, int, int] | None = None,
) -> Callable[[Keep], list[float]]:
    """What times the network of a kept set: seconds of some forward passes.

    Args:
        model: the original of the study.
        shape: of its images: channels, height, width; None: the study's own.

    Raises:
        ExportError: ONNX Runtime cannot run the original; what is returned raises it of a pruned network.
    """
    structure, batch, threads = study.structure, conditions.batch, conditions.threads
    shape = shape or study.info.input_shape
    if runtime == "pytorch":
        return lambda keep: time_forward(
            prune(model, structure, keep), shape, device=device, batch=batch, threads=threads, seconds=_SECONDS_A_TURN
        )
    template = template_or_none(model, structure, shape)
    sessions = Sessions(model, structure, shape, template, threads=threads, batch=batch)
    sessions.of(Keep(np.ones(structure.n_units, dtype=bool)))
    return lambda keep: time_session(sessions.of(keep), shape, batch=batch, seconds=_SECONDS_A_TURN)


@contextmanager
def with_other_runtime() -> Iterator[None]:
    """Within it, an error of a network that ONNX Runtime cannot run says what else can be done."""
    try:
        yield
    except ExportError as error:
        raise ExportError(f"{error}; time it in PyTorch, with --runtime pytorch") from error


def time_network(study: Study, model: nn.Module, keep: Keep, device: torch.device) -> Latency:
    """Latency of one network in ONNX Runtime: what was measured here before, or measured now.

    Values of weights do not change it. A network that ONNX Runtime cannot run is timed in PyTorch, on one thread.

    Args:
        model: the original of the study.
        device: where PyTorch would run it.
    """
    try:
        return _latency_in("onnxruntime", study, model, keep, device)
    except ExportError as error:
        logger.warning("%s; it is timed in PyTorch", error)
        return _latency_in("pytorch", study, model, keep, device)


def _latency_in(runtime: Runtime, study: Study, model: nn.Module, keep: Keep, device: torch.device) -> Latency:
    here, name = conditions_here(runtime, device), keep_id(keep)
    taken = (p.latency for p in reversed(measured_points(study)) if p.keep_id == name and p.latency)
    known = next((latency for latency in taken if latency.conditions == here and not latency.doubtful), None)
    return known or in_turns(timer_of(runtime, study, model, here, device), {name: keep}, here, silent)[name]
