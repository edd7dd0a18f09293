"""Latencies of many networks, in turns, in the runtime that is asked for."""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import torch
from torch import nn

from legr.deploy.contention import Contention
from legr.deploy.latency import latency_of, time_forward, time_session
from legr.deploy.sessions import Sessions
from legr.progress import Progress, Report
from legr.structure.surgery import prune
from legr.structure.types import Keep
from legr.study.latency import Conditions, Latency, Runtime
from legr.study.store import Study

_TURNS, _SECONDS_A_TURN = 5, 0.1
Key = TypeVar("Key", bound=Hashable)


def in_turns(
    timer: Callable[[Keep], list[float]], keeps: Mapping[Key, Keep], conditions: Conditions, report: Report
) -> dict[Key, Latency]:
    """Latency of every network; taken in turns, so that a slow minute of the machine slows all of them alike.

    Args:
        timer: see `timer_of`.
    """
    times: dict[Key, list[float]] = {item: [] for item in keeps}
    with Contention() as contention:
        for turn in range(_TURNS):
            report(Progress("timing the networks", turn + 1, _TURNS))
            for item, keep in keeps.items():
                times[item] += timer(keep)
    return {item: latency_of(seconds, contention, conditions) for item, seconds in times.items()}


def timer_of(
    runtime: Runtime, study: Study, model: nn.Module, conditions: Conditions, device: torch.device
) -> Callable[[Keep], list[float]]:
    """What times the network of a kept set: seconds of some forward passes.

    Args:
        model: the original of the study.
    """
    shape, batch, threads = study.info.input_shape, conditions.batch, conditions.threads
    if runtime == "pytorch":
        return lambda keep: time_forward(
            prune(model, study.structure, keep),
            shape,
            device=device,
            batch=batch,
            threads=threads,
            seconds=_SECONDS_A_TURN,
        )
    sessions = Sessions(model, study.structure, shape, threads=threads, batch=batch)
    return lambda keep: time_session(sessions.of(keep), shape, batch=batch, seconds=_SECONDS_A_TURN)
