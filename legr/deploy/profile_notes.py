"""What a profile has timed so far, as lines of JSON beside it: one that was interrupted goes on from there."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from legr.deploy.layer_grid import VERSION
from legr.errors import StudyError
from legr.files import write_bytes
from legr.record import Record
from legr.schema import MEGABYTE, Count, Name, SchemaError, parse, read_bytes
from legr.structure.latency import FloatArray
from legr.study.device_profile import FOLDER, network_key
from legr.study.latency import Conditions
from legr.study.store import Study

_LARGEST = 64 * MEGABYTE


@dataclass(frozen=True)
class _About(Record):
    """The first line: what the others are about."""

    network: Name
    conditions: Conditions
    grid: Count = 0  # version of the points at which layers are timed


@dataclass(frozen=True)
class _Timed(Record):
    key: Name
    values: Annotated[list[Annotated[float, Field(gt=0, le=1e10)]], Field(min_length=1)]


class Notes:
    """Values by key, in memory only."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def knows(self, key: str) -> bool:
        """Whether a value is there already."""
        return key in self._values

    def value(self, key: str, compute: Callable[[], FloatArray]) -> FloatArray:
        """The values of a key, float64[N], computed where they are not there yet."""
        if key not in self._values:
            values = np.asarray(compute(), dtype=np.float64).ravel().tolist()
            self._write(key, values)
            self._values[key] = values
        return np.array(self._values[key])

    def _write(self, key: str, values: list[float]) -> None:
        """Note values before they are used; in memory there is nothing to do."""


class ProfileNotes(Notes):
    """Values by key, on the disk as well; each is on the disk before the next is computed. One process at a time.

    Args:
        anew: forget what was timed before.

    Raises:
        StudyError: another process is at it, or the file cannot be written.
    """

    def __init__(self, study: Study, name: str, conditions: Conditions, *, anew: bool = False) -> None:
        super().__init__()
        folder = study.within(FOLDER)
        folder.mkdir(exist_ok=True)
        self._path = study.within(FOLDER, f"{name}.timings")
        self._about = _About(network_key(study.structure), conditions, VERSION)
        self._lock = study.lock(f"profile-{name}")
        self._anew = anew

    def __enter__(self) -> Self:
        self._lock.acquire()
        try:
            self._values = {} if self._anew else self._read()
            lines = [self._about.to_dict(), *({"key": key, "values": values} for key, values in self._values.items())]
            write_bytes(self._path, "".join(f"{json.dumps(line)}\n" for line in lines).encode())
            self._file = open(self._path, "a", encoding="utf-8")
        except OSError as error:
            self._lock.release()
            raise StudyError(f"{self._path.name} cannot be written ({error.strerror}); make room") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if not self._values:
            self.forget()
        self._lock.release()

    def forget(self) -> None:
        """Remove the file, as the profile is written."""
        self._path.unlink(missing_ok=True)

    def _write(self, key: str, values: list[float]) -> None:
        self._append({"key": key, "values": values})

    def _append(self, line: dict[str, object]) -> None:
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StudyError(f"{self._path.name} cannot be written ({error.strerror}); make room") from error

    def _read(self) -> dict[str, list[float]]:
        """The whole lines of before, if they are of the same network and conditions."""
        try:
            about, *lines = read_bytes(self._path, _LARGEST).split(b"\n")[:-1]
            if parse(about, _About) != self._about:
                return {}
        except (OSError, ValueError):
            return {}
        values = {}
        for line in lines:
            try:
                timed = parse(line, _Timed)
            except SchemaError:
                break
            values[timed.key] = timed.values
        return values
