"""What each command returns: its `--json` output, key by key. No torch, so that a page may read a stored result."""

from dataclasses import dataclass

from legr.record import Record


@dataclass(frozen=True)
class Evaluation(Record):
    """`evaluate`: a network of a study on the test images."""

    top1: float  # in [0, 1]
    loss: float | None  # None: an output is NaN or infinite
    images: int
    recalibrated: bool
    finetuned: bool
    macs: int
    macs_fraction: float  # of the original's
    params: int
    ranking: str
