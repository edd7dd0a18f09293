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
    made_by: int = -1  # number of the operation that returned it, as `flow.py` counts them
    returned_by: tuple[int, ...] = ()  # numbers of the module calls that returned it


def lifetime_of(storage: TrackedStorage) -> Lifetime:
    """What is worth keeping of a storage."""
    labels = storage.labels()
    nodes = None if labels is None else thin(repeat_thinly(labels))[0].clone()
    n_bytes = storage.n_elements * storage.element_bytes
    return Lifetime(storage.first_op, storage.last_op, n_bytes, nodes, storage.made_by, storage.returned_by)


@dataclass(frozen=True, slots=True)
class Live:
    """The live sets of a pass, and what of each one is no longer alive where a branch is emptied.

    Attributes:
        freed: branches, each with a (live set, its channels or None, bytes of each one, or of all).
    """

    sets: tuple[LiveSet, ...]
    freed: tuple[tuple[int, tuple[int, IntArray | None, int]], ...] = ()


def find_live_sets(
    lifetimes: Sequence[Lifetime],
    modules: Sequence[str],
    labels_of: Callable[[Tensor], IntArray],
    branch_of: Callable[[Lifetime], int],
) -> Live:
    """List the live sets of a pass, without those that another one exceeds in every part.

    Args:
        modules: module path of each operation, in order.
        labels_of: nodes -> labels of units.
        branch_of: the branch that a storage leaves with; -1 where it leaves with none.
    """
    # Bytes that appear and disappear with each operation: column 0 those that no kept set changes, the others
    # those of one channel of a label vector, or all, in one branch or outside. int64[operations + 1, columns]
    changes = np.zeros((len(modules) + 1, 1), dtype=np.int64)
    columns: dict[tuple[bytes, int], int] = {(b"", -1): 0}
    about: list[tuple[IntArray | None, int]] = [(None, -1)]  # label vector and branch of each column

    for lifetime in lifetimes:
        labels = _varying_line(labels_of(lifetime.nodes)) if lifetime.nodes is not None else None
        branch = branch_of(lifetime)
        column = columns.setdefault((b"" if labels is None else labels.tobytes(), branch), len(columns))
        n_bytes = lifetime.n_bytes if labels is None else lifetime.n_bytes // len(labels)
        if column == changes.shape[1]:
            about.append((labels, branch))
            changes = np.pad(changes, ((0, 0), (0, 1)))
        changes[lifetime.first_op, column] += n_bytes
        if lifetime.last_op is not None:
            changes[min(lifetime.last_op + 1, len(modules)), column] -= n_bytes
    alive = np.cumsum(changes, axis=0)[:-1]  # int64[operations, columns]
    sets: list[LiveSet] = []
    freed: list[tuple[int, tuple[int, IntArray | None, int]]] = []
    for operation in _undominated(alive):
        parts: dict[bytes, tuple[IntArray, int]] = {}
        fixed = 0
        for (labels, branch), size in zip(about, alive[operation].tolist(), strict=True):
            if labels is None:
                fixed += size
            elif size:
                parts[labels.tobytes()] = (labels, parts.get(labels.tobytes(), (labels, 0))[1] + size)
            if size and branch >= 0:
                freed.append((branch, (len(sets), labels, size)))
        sets.append(LiveSet(modules[operation], fixed, tuple(parts.values())))
    return Live(tuple(sets), tuple(freed))


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
