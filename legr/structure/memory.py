"""From the lives of storages to the moments when activation memory may peak.

It does not know operations; what lives when was noted by the tracer.
"""

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from legr.structure.storages import Life
from legr.structure.types import IntArray, Moment

#: Channels of an activation as noted: their nodes, and how many bytes each stands for.
Content = tuple[Tensor | None, int]


def content(life: Life) -> Content:
    """What a storage holds: (nodes of its channels, bytes a channel), or (None, bytes) where nothing varies."""
    labels = life.labels()
    size = life.elements * life.element_bytes
    if labels is None:
        return None, size
    for dim in range(labels.dim()):
        nodes = labels[tuple(slice(None) if d == dim else 0 for d in range(labels.dim()))]
        if len(nodes) > 1 and bool((nodes != nodes[0]).any()):
            return nodes.clone(), size // len(nodes)
    return None, size


def find_moments(
    lives: Sequence[tuple[int, int | None, Content]],
    modules: Sequence[str],
    labels_of: Callable[[Tensor], IntArray],
) -> tuple[Moment, ...]:
    """List the moments of a pass at which no other moment has more of everything.

    Args:
        lives: for every storage the number of the operation that made it, that after which it died (None:
            never), and its content.
        modules: module path of each operation, in order.
        labels_of: nodes -> labels of units.
    """
    vectors: dict[bytes, tuple[int, IntArray]] = {}
    changes = np.zeros((len(modules) + 1, 1), dtype=np.int64)  # [operation, fixed + vectors], bytes that come and go

    for born, end, (nodes, size) in lives:
        labels = labels_of(nodes) if nodes is not None else None
        if labels is None or not labels.any():
            column, amount = 0, size * (1 if nodes is None else len(nodes))
        else:
            column = vectors.setdefault(labels.tobytes(), (len(vectors) + 1, labels))[0]
            amount = size
            if column == changes.shape[1]:
                changes = np.pad(changes, ((0, 0), (0, 1)))
        changes[born, column] += amount
        if end is not None:
            changes[min(end + 1, len(modules)), column] -= amount
    alive = np.cumsum(changes, axis=0)[:-1]  # [operation, columns]
    ordered = [labels for _, labels in vectors.values()]
    return tuple(
        Moment(
            modules[i],
            int(alive[i, 0]),
            tuple((ordered[c - 1], int(alive[i, c])) for c in range(1, alive.shape[1]) if alive[i, c]),
        )
        for i in _undominated(alive)
    )


def _undominated(alive: np.ndarray) -> list[int]:
    """Rows that are not below another row in every column; of equal rows the first."""
    order = np.argsort(-alive.sum(axis=1), kind="stable")
    kept: list[int] = []
    for row in order.tolist():
        if not any((alive[other] >= alive[row]).all() for other in kept):
            kept.append(row)
    return sorted(kept)
