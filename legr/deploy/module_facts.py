"""What a structure says of a network's modules: which sizes of each follow the kept set, and with what it leaves."""

from dataclasses import dataclass

from torch import nn

from legr.structure.model_io import tensors_by_name
from legr.structure.types import Attribute, IntArray, Structure


@dataclass(frozen=True)
class Own:
    """What of a module follows the kept set, by the module's own names.

    Attributes:
        axes: parameter or buffer, dim, labels of its positions.
        attributes: module inside it, and a number of channels that it keeps.
        indexes: index buffer, labels of its entries (None: all stay), labels of the channels that it picks from.
        vectors: the label vectors of all of these, places in `Structure.vectors`.
    """

    axes: tuple[tuple[str, int, IntArray], ...]
    attributes: tuple[tuple[str, Attribute], ...]
    indexes: tuple[tuple[str, IntArray | None, IntArray], ...]
    vectors: tuple[int, ...]


class ModuleFacts:
    """Looks up modules of a network by their paths."""

    def __init__(self, model: nn.Module, structure: Structure) -> None:
        self.structure = structure
        self.modules = dict(model.named_modules(remove_duplicate=False))
        self.weights = {op.parameter for op in structure.ops if op.parameter is not None}
        self._name_of = {id(tensor): name for name, tensor in reversed(list(tensors_by_name(model)))}
        pairs = zip(structure.branches, structure.vectors_of_branches, strict=True)
        self._leaving = [(gone.module, places) for branch, places in pairs for gone in branch.removed]

    def names(self, path: str) -> dict[str, str]:
        """By the network's name of each parameter and buffer of a module, the module's own."""
        return {self._name_of[id(tensor)]: name for name, tensor in tensors_by_name(self.modules[path])}

    def inside(self, path: str) -> tuple[int, ...]:
        """Label vectors of the branch that a module leaves with, places in `Structure.vectors`; none outside."""
        return next((places for gone, places in self._leaving if _is_in(path, gone)), ())

    def own(self, path: str) -> Own:
        """What of a module follows the kept set."""
        structure, names = self.structure, self.names(path)
        gathers = {gather.buffer: gather.in_labels for gather in structure.gathers if gather.buffer in names}
        axes = [(names[x.parameter], x.dim, x.labels) for x in structure.axes if x.parameter in names.keys() - gathers]
        indexes = [
            (names[buffer], axis.labels if (axis := structure.axis_of.get((buffer, 0))) else None, labels)
            for buffer, labels in gathers.items()
        ]
        attributes = [(x.module[len(path) :].lstrip("."), x) for x in structure.attributes if _is_in(x.module, path)]
        labels = [*(labels for *_, labels in axes), *(labels for _, *pair in indexes for labels in pair)]
        places = (structure.vector_index.get(x.tobytes()) for x in labels if x is not None)
        known = tuple(dict.fromkeys(place for place in places if place is not None))
        return Own(tuple(axes), tuple(attributes), tuple(indexes), known)


def _is_in(path: str, outer: str) -> bool:
    return not outer or f"{path}.".startswith(f"{outer}.")
