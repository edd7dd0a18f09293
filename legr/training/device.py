"""Where and in which precision to compute on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from legr.errors import SettingsError
from legr.machine import processor_name


def pick_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; "auto" is CUDA where present, else the CPU.

    Raises:
        SettingsError: the name is unknown, or there is no such device on this machine.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SettingsError(f"device must be auto, cpu or cuda[:n], got {name!r}") from error
    if device.type not in ("cpu", "cuda"):
        raise SettingsError(f"device must be auto, cpu or cuda[:n], got {name!r}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise SettingsError(f"there is no device {name} on this machine; use --device auto or cpu")
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


def fast_dtype(device: torch.device) -> torch.dtype:
    """The fastest type to train and to compare in: bfloat16 where the processor multiplies it, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    capabilities = torch.cpu.get_capabilities()
    fast = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16")
    return torch.bfloat16 if fast else torch.float32


def device_name(device: torch.device) -> str:
    """Name of the processor with its number of threads, or of the accelerator."""
    threads = torch.get_num_threads()
    plural = "s" if threads != 1 else ""
    return machine_name(device) + (f", {threads} thread{plural}" if device.type == "cpu" else "")


def machine_name(device: torch.device) -> str:
    """The name of the processor or of the accelerator."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()


@contextmanager
def autocast(device: torch.device) -> Iterator[None]:
    """Compute in the fast type where it is safe, with float32 weights."""
    dtype = fast_dtype(device)
    with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
        yield


@contextmanager
def own_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """Seed what dropout draws from, and put the global generators back afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
