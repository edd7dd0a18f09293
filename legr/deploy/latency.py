"""Time of one forward pass, on this machine, in PyTorch.

It does not know budgets, and nothing here is estimated from MACs.
"""

import copy
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn

from legr.errors import SettingsError
from legr.study.records import Latency

_MIN_SECONDS, _MIN_RUNS, _WARM_UP_RUNS = 0.6, 20, 5


def measure_latency(
    model: nn.Module,
    input_shape: tuple[int, int, int],
    *,
    device: torch.device,
    batch: int = 1,
    threads: int | None = None,
) -> Latency:
    """Median milliseconds of a float32 forward pass after warm-up (channels last, inference mode).

    Args:
        input_shape: channels, height, width.
        threads: processor threads; None leaves PyTorch's own number.

    Raises:
        SettingsError: batch or threads below 1.
    """
    threads = torch.get_num_threads() if threads is None else threads
    if batch < 1 or threads < 1:
        raise SettingsError(f"batch and threads must be at least 1, got {batch} and {threads}")
    network = cast(nn.Module, copy.deepcopy(model).to(device, memory_format=torch.channels_last)).eval()  # type: ignore[call-overload]
    inputs = torch.randn(batch, *input_shape, generator=torch.Generator().manual_seed(0)).to(
        device, memory_format=torch.channels_last
    )
    with torch.inference_mode(), _threads(threads):
        for _ in range(_WARM_UP_RUNS):
            network(inputs)
        times: list[float] = []
        while len(times) < _MIN_RUNS or sum(times) < _MIN_SECONDS:
            _wait(device)
            start = time.perf_counter()
            network(inputs)
            _wait(device)
            times.append(time.perf_counter() - start)
    median = statistics.median(times)
    return Latency(round(median * 1e3, 4), f"PyTorch {torch.__version__.split('+')[0]}", device.type, threads, batch)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Use a number of threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _wait(device: torch.device) -> None:
    """Let the accelerator finish: its calls return early."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
