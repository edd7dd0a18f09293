"""What this machine is called. Loads without torch."""

import platform
from contextlib import suppress
from functools import cache
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
