"""Networks that stay loaded between questions, as long as the files of their study stay as they are."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from itertools import chain
from pathlib import Path
from typing import Generic, TypeVar

from torch import nn

from legr.commands.network import Network
from legr.study.store import Study

_MOST_BYTES = 2**29  # of weights, in each of the two places
Loaded = TypeVar("Loaded")


class Recent(Generic[Loaded]):
    """What was loaded last. It is shared, so it must not be changed; a network changes when it is run.

    Args:
        most: how many are kept.
        model_of: the network in one of them.
        most_bytes: how large their networks may be together; the last is kept whatever its size.
    """

    def __init__(self, most: int, model_of: Callable[[Loaded], nn.Module], most_bytes: int = _MOST_BYTES) -> None:
        self._most, self._model_of, self._most_bytes = most, model_of, most_bytes
        self._kept: OrderedDict[Hashable, Loaded] = OrderedDict()

    def get(self, key: Hashable, load: Callable[[], Loaded]) -> Loaded:
        """What was loaded under this key before, else what `load` returns now."""
        if key not in self._kept:
            self._kept[key] = load()
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and (len(self._kept) > self._most or self._bytes() > self._most_bytes):
            self._kept.popitem(last=False)
        return self._kept[key]

    def _bytes(self) -> int:
        models = map(self._model_of, self._kept.values())
        return sum(tensor.nbytes for model in models for tensor in chain(model.parameters(), model.buffers()))


class LoadedNetworks:
    """The originals of the studies, and the pruned networks, that were asked for last."""

    def __init__(self) -> None:
        self.originals: Recent[nn.Module] = Recent(2, lambda model: model)
        self.pruned: Recent[Network] = Recent(6, lambda network: network.model)


def files_of(study: Study) -> Hashable:
    """The study as it lies on disk: it changes with every file that a network is loaded from."""
    folders = "finetuned", "supernets", "profiles"
    files = [*study.folder.iterdir(), *(file for folder in folders for file in study.files(folder, "*"))]
    return str(study.path.resolve()), tuple(sorted(map(_stamp, filter(Path.is_file, files))))


def _stamp(file: Path) -> tuple[str, int, int, int]:
    found = file.stat()
    return str(file), found.st_mtime_ns, found.st_size, found.st_ino
