"""Every error a caller can act on, and nothing else.

Not here: bugs of our own (those are `assert`), and texts for the screen (the pages show `str(error)`).

    LegrError
    ├── SettingsError       an argument or a setting is out of range, or differs from the study's
    ├── TraceError          a model cannot be traced at all
    ├── VerificationError   removing channels changed the function: the model is refused
    ├── BudgetError         a budget out of range, or below what pruning can reach
    ├── WeightsError        a weights file is missing, unsafe or does not fit the model
    ├── DataError           images are missing, unreadable or not what the study was made with
    ├── StudyError          a study is missing, damaged, newer than this version or read-only
    ├── JobError            a background job cannot be started or cancelled
    └── ExportError         an exported network differs from the one on screen

A message is one sentence or two: the rule, the value, the remedy.
"""

__all__ = [
    "BudgetError",
    "DataError",
    "ExportError",
    "JobError",
    "LegrError",
    "SettingsError",
    "StudyError",
    "TraceError",
    "VerificationError",
    "WeightsError",
]


class LegrError(Exception):
    """Parent of every error that a user of the library, the command line or the pages can act on."""


class SettingsError(LegrError):
    """A setting is out of range, or differs from the one the study was made with."""


class TraceError(LegrError):
    """A model cannot be traced: its forward fails, or it cannot be copied."""


class VerificationError(LegrError):
    """Zeroing channels and removing them gave two different functions, or a cost came out wrong."""


class BudgetError(LegrError):
    """A budget is out of range, or below the floor that pruning can reach.

    Attributes:
        floor: the smallest reachable fraction of the original's cost of the kind that is limited, or None
            where it is not known.
    """

    def __init__(self, message: str, floor: float | None = None) -> None:
        super().__init__(message)
        self.floor = floor


class WeightsError(LegrError):
    """A weights file is missing, holds more than plain tensors, or does not fit the model."""


class DataError(LegrError):
    """Images are missing, unreadable, or not the ones a study was made with."""


class StudyError(LegrError):
    """A study is missing, damaged, read-only, or was written by a newer version."""


class JobError(LegrError):
    """A background job cannot be started, found or cancelled."""


class ExportError(LegrError):
    """An exported network does not compute what the PyTorch network computes."""
