"""What this machine and its runtime are called. Loads without torch, and without the runtime."""

import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path


@cache
def processor_name() -> str:
    """The name of the processor, or of the board, such as a Jetson or a Raspberry Pi."""
    with suppress(OSError):
        return Path("/proc/device-tree/model").read_text(encoding="utf-8").strip("\0\n ")
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@cache
def onnxruntime_name() -> str:
    """The runtime that networks are exported for, with its version, such as "ONNX Runtime 1.31.1"."""
    packages = packages_distributions().get("onnxruntime", [])  # builds for accelerators have other names
    return " ".join(["ONNX Runtime", *map(version, packages[:1])])
