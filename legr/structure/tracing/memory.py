"""From the lifetimes of storages to the live sets that may be the peak of activation memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from legr.structure.tracing.nodes import repeat_thinly, thin
from legr.structure.tracing.storages import TrackedStorage
from legr.structure.types import IntArray, LiveSet, readonly


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A storage of one pass: when it was alive, how large it was, and whose channels it held."""

    first_op: int  # number of the operation that returned it
    last_op: int | None  # number of the last operation it was alive after; None: it was never freed
    n_bytes: int
    nodes: Tensor | None  # its labels, size 1 along dims in which they do not differ; None: all are unprunable


def lifetime_of(storage: TrackedStorage) -> Lifetime:
    """What is worth keeping of a storage."""
    labels = storage.labels()
    nodes = None if labels is None else thin(repeat_thinly(labels))[0].clone()
    return Lifetime(storage.first_op, storage.last_op, storage.n_elements * storage.element_bytes, nodes)


def find_live_sets(
    lifetimes: Sequence[Lifetime], modules: Sequence[str], labels_of: Callable[[Tensor], IntArray]
) -> tuple[LiveSet, ...]:
    """List the live sets of a pass, without those that another one exceeds in every part.

    Args:
        modules: module path of each operation, in order.
        labels_of: nodes -> labels of units.
    """
    # Bytes that appear and disappear with each operation: column 0 those that no kept set changes, the others
    # those of one channel of a label vector. int64[operations + 1, 1 + vectors]
    changes = np.zeros((len(modules) + 1, 1), dtype=np.int64)
    columns: dict[bytes, int] = {}
    vectors: list[IntArray] = []

    for lifetime in lifetimes:
        labels = _varying_line(labels_of(lifetime.nodes)) if lifetime.nodes is not None else None
        if labels is None:
            column, n_bytes = 0, lifetime.n_bytes
        else:
            column, n_bytes = columns.setdefault(labels.tobytes(), len(columns) + 1), lifetime.n_bytes // len(labels)
            if column == changes.shape[1]:
                vectors.append(labels)
                changes = np.pad(changes, ((0, 0), (0, 1)))
        changes[lifetime.first_op, column] += n_bytes
        if lifetime.last_op is not None:
            changes[min(lifetime.last_op + 1, len(modules)), column] -= n_bytes
    alive = np.cumsum(changes, axis=0)[:-1]  # int64[operations, 1 + vectors]
    return tuple(
        LiveSet(
            modules[operation],
            int(alive[operation, 0]),
            tuple((vectors[c - 1], int(alive[operation, c])) for c in range(1, alive.shape[1]) if alive[operation, c]),
        )
        for operation in _undominated(alive)
    )


def _varying_line(labels: IntArray) -> IntArray | None:
    """The labels along the one dim in which they vary; None where they do not."""
    for dim in range(labels.ndim):
        line = labels[tuple(slice(None) if d == dim else 0 for d in range(labels.ndim))]
        if (line != line[0]).any():
            return readonly(line)
    return None


def _undominated(alive: NDArray[np.int64]) -> list[int]:
    """Rows that are not below another row in every column; of equal rows the first."""
    order = np.argsort(-alive.sum(axis=1), kind="stable")
    kept: list[int] = []
    for row in order.tolist():
        if not any((alive[other] >= alive[row]).all() for other in kept):
            kept.append(row)
    return sorted(kept)
