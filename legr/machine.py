"""What this machine and its runtime are called. Loads without torch, and without the runtime."""

import platform
import re
from contextlib import suppress
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

_CLOCK = re.compile(r"@?\s*[\d.]+\s*GHz")


@cache
def processor_name() -> str:
    """The name of the processor, or of the board, such as a Jetson or a Raspberry Pi."""
    with suppress(OSError):
        return Path("/proc/device-tree/model").read_text(encoding="utf-8").strip("\0\n ")
    with suppress(OSError):
        if name := name_in(Path("/proc/cpuinfo").read_text(encoding="utf-8")):
            return name
    return platform.processor() or platform.machine()


def name_in(cpuinfo: str) -> str:
    """The name of the first processor that Linux describes; "" where it gives none.

    Virtual machines hide the number that tells generations of a processor apart, which may differ by half in speed:
    family and model then stand in its place, as in "AMD EPYC 26.2".
    """
    lines = (line.partition(":") for line in cpuinfo.partition("\n\n")[0].splitlines())
    facts = {name.strip(): value.strip() for name, _, value in lines}
    name, numbers = facts.get("model name", ""), [facts.get("cpu family"), facts.get("model")]
    if name and not re.search(r"\d", _CLOCK.sub("", name)) and None not in numbers:
        return f"{name} {'.'.join(map(str, numbers))}"
    return name


@cache
def onnxruntime_name() -> str:
    """The runtime that networks are exported for, with its version, such as "ONNX Runtime 1.31.1"."""
    packages = packages_distributions().get("onnxruntime", [])  # builds for accelerators have other names
    return " ".join(["ONNX Runtime", *map(version, packages[:1])])
