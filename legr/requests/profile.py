"""The request of the command that profiles a device."""

import re
from dataclasses import dataclass

from legr.errors import SettingsError
from legr.requests.job import JobRequest
from legr.requests.options import option
from legr.requests.ranges import BATCH, THREADS
from legr.requests.shared import DEVICE
from legr.study.device_profile import NAME
from legr.study.latency import Conditions, Runtime


@dataclass(frozen=True)
class ProfileRequest(JobRequest):
    """Which runtime's table is to be made, and what it is called."""

    command = "profile"

    name: str | None = option("Name of the profile; by default that of the processor or accelerator.")
    runtime: Runtime = option(
        "What runs the layers: onnxruntime, which runs exported networks on the processor, or pytorch.", "onnxruntime"
    )
    threads: int = option("Processor threads.", 1, bounds=THREADS)
    batch: int = option("Images at a time.", 1, bounds=BATCH)
    again: bool = option("Time everything again.", False)
    device: str = option(DEVICE, "auto")

    def file_name(self, conditions: Conditions) -> str:
        """Name of the profile, a part of a file's name; by default it tells of these conditions.

        Raises:
            SettingsError: it is none.
        """
        if self.name is None:
            return default_name(conditions)
        if not NAME.fullmatch(self.name):
            raise SettingsError(
                f"name must be ASCII letters, digits, '.', '_' and '-', at most 100, got {self.name[:100]!r}"
            )
        return self.name


def default_name(conditions: Conditions) -> str:
    """Such as "Intel-Xeon-2.80GHz"; PyTorch is named, and so are threads and batch that are not 1."""
    words = re.sub(r"\((R|TM|r|tm)\)|\bCPU\b|\bProcessor\b|@", " ", conditions.machine)
    name = "-".join(re.findall(r"[\w.]+", words, re.ASCII)).strip(".-_")[:60] or conditions.device
    runtime = "-PyTorch" if conditions.runtime.startswith("PyTorch") else ""
    threads = f"-{conditions.threads}-threads" if conditions.threads > 1 else ""
    return name + runtime + threads + (f"-batch-{conditions.batch}" if conditions.batch > 1 else "")
