"""The record of a latency: the time of one forward pass, and where it was taken."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from legr.record import Record
from legr.schema import Count, Name

Runtime = Literal["onnxruntime", "pytorch"]
Milliseconds = Annotated[float, Field(ge=0, le=1e10)]


@dataclass(frozen=True)
class Conditions:
    """Where a latency was taken; latencies of different conditions cannot be compared."""

    runtime: Name  # such as "PyTorch 2.14.1"
    device: Name
    threads: Count
    batch: Count
    machine: Name = ""  # name of the processor or accelerator; "" where an earlier version measured

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'s' if self.threads != 1 else ''}"
        return f"{self.runtime}, {self.machine or self.device}, {threads}, batch {self.batch}"


@dataclass(frozen=True)
class Latency(Record):
    """Time of one forward pass, median of repeated runs after warm-up, and where it was taken (see `Conditions`)."""

    milliseconds: Milliseconds  # the median
    runtime: Name
    device: Name
    threads: Count
    batch: Count
    machine: Name = ""
    #: Other programs were using the cores: the time is too long.
    contended: Annotated[bool, Field(alias="hindered")] = False
    #: The first and the third, in milliseconds; None where an earlier version measured.
    quartiles: Annotated[tuple[Milliseconds, Milliseconds], Field(strict=False)] | None = None
    #: Runs differed by more than is usual, also when the network was timed again.
    unsteady: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, without what an earlier version did not note."""
        data = super().to_dict()
        if self.quartiles is None:
            del data["quartiles"], data["unsteady"]
        return data

    @property
    def doubtful(self) -> bool:
        """Whether it is worth measuring again."""
        return self.contended or self.unsteady

    @property
    def conditions(self) -> Conditions:
        """All but the time."""
        return Conditions(self.runtime, self.device, self.threads, self.batch, self.machine)
