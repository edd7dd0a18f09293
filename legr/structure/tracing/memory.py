"""From the lives of storages to the moments when activation memory may peak.

It does not know operations; what lives when was noted by the tracer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from legr.structure.tracing.nodes import repeat_thinly, thin
from legr.structure.tracing.storages import Life
from legr.structure.types import IntArray, LiveSet, readonly


@dataclass(frozen=True, slots=True)
class Stay:
    """A storage of one pass: when it was there, how large it was, and whose channels it held."""

    born: int  # number of the operation that returned it
    end: int | None  # number of the last operation it was alive after; None: it never died
    size: int  # bytes
    nodes: Tensor | None  # as labelled, repetitions narrowed to one; None: fixed


def stay_of(life: Life) -> Stay:
    """What is worth remembering of a storage."""
    labels = life.labels()
    size = life.elements * life.element_bytes
    return Stay(life.born or 0, life.end, size, None if labels is None else thin(repeat_thinly(labels))[0].clone())


def find_live_sets(
    stays: Sequence[Stay], modules: Sequence[str], labels_of: Callable[[Tensor], IntArray]
) -> tuple[LiveSet, ...]:
    """List the moments of a pass at which no other moment has more of everything.

    Args:
        modules: module path of each operation, in order.
        labels_of: nodes -> labels of units.
    """
    vectors: dict[bytes, tuple[int, IntArray]] = {}
    changes = np.zeros((len(modules) + 1, 1), dtype=np.int64)  # [operation, fixed + vectors], bytes that come and go

    for stay in stays:
        labels = _line(labels_of(stay.nodes)) if stay.nodes is not None else None
        if labels is None:
            column, amount = 0, stay.size
        else:
            column = vectors.setdefault(labels.tobytes(), (len(vectors) + 1, labels))[0]
            amount = stay.size // len(labels)
            if column == changes.shape[1]:
                changes = np.pad(changes, ((0, 0), (0, 1)))
        changes[stay.born, column] += amount
        if stay.end is not None:
            changes[min(stay.end + 1, len(modules)), column] -= amount
    alive = np.cumsum(changes, axis=0)[:-1]  # [operation, columns]
    ordered = [labels for _, labels in vectors.values()]
    return tuple(
        LiveSet(
            modules[i],
            int(alive[i, 0]),
            tuple((ordered[c - 1], int(alive[i, c])) for c in range(1, alive.shape[1]) if alive[i, c]),
        )
        for i in _undominated(alive)
    )


def _line(labels: IntArray) -> IntArray | None:
    """The labels along the one dim in which they vary; None where they do not."""
    for dim in range(labels.ndim):
        line = labels[tuple(slice(None) if d == dim else 0 for d in range(labels.ndim))]
        if (line != line[0]).any():
            return readonly(line)
    return None


def _undominated(alive: np.ndarray) -> list[int]:
    """Rows that are not below another row in every column; of equal rows the first."""
    order = np.argsort(-alive.sum(axis=1), kind="stable")
    kept: list[int] = []
    for row in order.tolist():
        if not any((alive[other] >= alive[row]).all() for other in kept):
            kept.append(row)
    return sorted(kept)
