"""The request of the command that profiles a device."""

import re
from dataclasses import dataclass

from legr.errors import SettingsError
from legr.machine import processor_name
from legr.requests.job import JobRequest
from legr.requests.options import option
from legr.requests.ranges import BATCH, THREADS
from legr.study.device_profile import NAME
from legr.study.latency import Runtime


@dataclass(frozen=True)
class ProfileRequest(JobRequest):
    """Which runtime's table is to be made, and what it is called."""

    command = "profile"

    name: str | None = option("Name of the profile; by default that of the processor.")
    runtime: Runtime = option("What runs the layers: onnxruntime.", "onnxruntime")
    threads: int = option("Processor threads.", 1, bounds=THREADS)
    batch: int = option("Images at a time.", 1, bounds=BATCH)
    again: bool = option("Time everything again.", False)

    @property
    def file_name(self) -> str:
        """Name of the profile, a part of a file's name.

        Raises:
            SettingsError: it is none.
        """
        if self.name is None:
            return default_name(processor_name(), self.threads, self.batch)
        if not NAME.fullmatch(self.name):
            raise SettingsError(
                f"name must be ASCII letters, digits, '.', '_' and '-', at most 100, got {self.name[:100]!r}"
            )
        return self.name


def default_name(processor: str, threads: int, batch: int) -> str:
    """Such as "Intel-Xeon-2.80GHz", with threads and batch where they are not 1."""
    words = re.sub(r"\((R|TM|r|tm)\)|\bCPU\b|\bProcessor\b|@", " ", processor)
    name = "-".join(re.findall(r"[\w.]+", words, re.ASCII)).strip(".-_")[:60] or "processor"
    return name + (f"-{threads}-threads" if threads > 1 else "") + (f"-batch-{batch}" if batch > 1 else "")
