"""Time of one forward pass, measured on this machine in PyTorch or ONNX Runtime; nothing is estimated from MACs."""

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import cast

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from legr.deploy.contention import Contention
from legr.deploy.graph import INPUT, OUTPUT
from legr.machine import onnxruntime_name
from legr.study.latency import Conditions, Latency, Runtime
from legr.training.device import machine_name

STEADY = 0.1
_WARM_UP_RUNS, _MIN_RUNS = 3, 8


def latency_of(times: Sequence[float], contention: Contention, conditions: Conditions) -> Latency:
    """The median of `times` (seconds), their quartiles, and whether other programs were using the cores.

    Times of several rounds may be put together: a machine that is slow for a while then slows all networks
    alike, not the one that happened to be measured.
    """
    first, median, third = (round(float(value) * 1e3, 4) for value in np.percentile(times, (25, 50, 75)))
    contended = conditions.device == "cpu" and contention.slows(conditions.threads)
    return Latency(
        median, **asdict(conditions), contended=contended, quartiles=(first, third), unsteady=not is_steady(times)
    )


def is_steady(times: Sequence[float]) -> bool:
    """Whether the interquartile range is at most a tenth of the median (as in `torch.utils.benchmark`)."""
    first, median, third = np.percentile(times, (25, 50, 75))
    return bool(third - first <= STEADY * median)


def conditions_here(runtime: Runtime, device: torch.device, threads: int = 1, batch: int = 1) -> Conditions:
    """The conditions of a latency that is measured here and now; ONNX Runtime runs on the processor."""
    if runtime == "onnxruntime":
        name, device = onnxruntime_name(), torch.device("cpu")
    else:
        name = f"PyTorch {torch.__version__.split('+')[0]}"
    return Conditions(name, device.type, threads, batch, machine_name(device))


def time_forward(
    model: nn.Module,
    input_shape: tuple[int, int, int],
    *,
    device: torch.device,
    batch: int,
    threads: int,
    seconds: float,
) -> list[float]:
    """Seconds of each of several float32 forward passes in PyTorch after warm-up (channels last, inference mode).

    Args:
        input_shape: channels, height, width.
        seconds: how long to go on measuring, at least.
    """
    network, images = in_channels_last(model, device), images_on(device, batch, input_shape)

    def run() -> None:
        wait(device)
        network(images)
        wait(device)

    with torch.inference_mode(), use_threads(threads):
        return _time(run, seconds)


def in_channels_last(model: nn.Module, device: torch.device) -> nn.Module:
    """A copy of a network as it is timed in PyTorch."""
    return cast(nn.Module, copy.deepcopy(model).to(device, memory_format=torch.channels_last)).eval()  # type: ignore[call-overload]


def images_on(device: torch.device, batch: int, input_shape: tuple[int, int, int]) -> Tensor:
    """What it is timed with."""
    return _images(batch, input_shape).to(device, memory_format=torch.channels_last)


def _images(batch: int, input_shape: tuple[int, int, int]) -> Tensor:
    return torch.randn(batch, *input_shape, generator=torch.Generator().manual_seed(0))


def time_session(
    session: onnxruntime.InferenceSession, input_shape: tuple[int, int, int], *, batch: int, seconds: float
) -> list[float]:
    """Seconds of each of several runs of a session after warm-up, on the threads that it was made for."""
    images = _images(batch, input_shape).numpy()
    return _time(lambda: session.run([OUTPUT], {INPUT: images}), seconds)


def _time(run: Callable[[], object], seconds: float) -> list[float]:
    for _ in range(_WARM_UP_RUNS):
        run()
    times: list[float] = []
    while len(times) < _MIN_RUNS or sum(times) < seconds:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return times


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Use a number of threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def wait(device: torch.device) -> None:
    """Let the accelerator finish: its calls return early."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
