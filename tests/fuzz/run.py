"""Damage files one after the other, use each as a user does, and count how that ends."""

import os
import random
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from legr.errors import LegrError
from tests.fuzz.mutants import mutate
from tests.fuzz.places import Place

LIMIT_S = 10.0


class Hang(BaseException):
    """A mutant took longer than `LIMIT_S`."""


@dataclass
class Tally:
    """How mutants ended: read or said in a sentence, or else."""

    mutants: int = 0
    said: int = 0  # those that ended an action with a sentence
    wrong: list[str] = field(default_factory=list)  # tracebacks and hangs, with the file and the damage

    @property
    def kinds(self) -> Counter[str]:
        """What was wrong, by the first word."""
        return Counter(text.split(":")[0] for text in self.wrong)


def run(places: Sequence[Place], mutants: int, seed: int, damage: Callable[..., bytes] | None = None) -> Tally:
    """Use `mutants` damaged files, each of which is whole again afterwards.

    Args:
        damage: in place of `mutate`, and then files only get other bytes.
    """
    tally = Tally()
    for number in range(mutants):
        rng = random.Random(f"{seed}-{number}")
        place = places[number % len(places)]
        content = place.file.read_bytes()
        others = [other.read_bytes() for other in place.others]
        try:
            damaged = (damage or mutate)(content, place.kind, rng, others)
            described = _put(place.file, content, damaged, rng.random() if damage is None else 1.0)
            tally.mutants += 1
            for action in place.actions:
                _use(place, action, f"mutant {number} of seed {seed}, {described}", tally)
        finally:
            _restore(place.file, content)
    return tally


def _use(place: Place, action: object, described: str, tally: Tally) -> None:
    name = getattr(action, "__name__", "")
    try:
        with _limited():
            action(place.root)  # type: ignore[operator]
    except LegrError:
        tally.said += 1
    except Hang:
        tally.wrong.append(f"Hang: {name} of {place.file.name}, {described}")
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place_of = f"{Path(where.filename).name}:{where.lineno}"
        text = str(error).replace("\n", " ")[:120]
        tally.wrong.append(f"{type(error).__name__}: {text} ({name} of {place.file.name}, {place_of}; {described})")


def _put(file: Path, content: bytes, damaged: bytes, chance: float) -> str:
    """Put something else in place of a file: mostly other bytes; by a small chance a folder, a pipe or a dead link."""
    if chance < 0.02:
        file.unlink()
        file.mkdir()
        return "a folder"
    if chance < 0.03:
        file.unlink()
        file.symlink_to(file.name)  # a link to itself
        return "a circle of links"
    if chance < 0.04 and hasattr(os, "mkfifo"):
        file.unlink()
        os.mkfifo(file)
        return "a pipe"
    if chance < 0.05:
        file.unlink()
        return "missing"
    file.write_bytes(damaged)
    if chance < 0.06:
        file.chmod(0)
        return "not permitted"
    return f"{len(content)} -> {len(damaged)} bytes"


def _restore(file: Path, content: bytes) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    elif file.exists() or file.is_symlink():
        file.unlink()
    file.write_bytes(content)
    for left in file.parent.glob(f"{file.name}.damaged*"):
        left.unlink()


@contextmanager
def _limited() -> Iterator[None]:
    """Interrupt what takes longer than `LIMIT_S`."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S, 1.0)  # again, should the first be swallowed
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
