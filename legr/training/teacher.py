"""The original network as a teacher: its logits for every batch of an epoch, cached on disk.

Runs of one seed see the same augmented images in the same order, whatever network they train. The teacher's logits can
therefore be kept from one run to the next: at small budgets the teacher takes a third of the time.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from legr.errors import WeightsError
from legr.models.weights import save_weights
from legr.outside import require_plain_file
from legr.schema import SchemaError
from legr.training.device import fast_dtype

LARGEST = 2**25  # bytes of an epoch's logits that are cached: 45,000 images of 370 classes in bfloat16
ROOM = 2**32  # bytes of all logits that a machine caches; the least recently used go first
_TENSOR = "answers"  # in the files


class Teacher:
    """A network in evaluation mode and the fast type.

    Args:
        cache: folder of its logits, made when needed, beside those of other runs. Its name must tell the network, the
            images, their order and the machine apart. None caches nothing.
    """

    def __init__(self, model: nn.Module, device: torch.device, cache: Path | None = None) -> None:
        self._dtype, self._device, self._cache = fast_dtype(device), device, cache
        copied = copy.deepcopy(model)
        self._network = cast(nn.Module, copied.to(device, self._dtype, memory_format=torch.channels_last)).eval()  # type: ignore[call-overload]

    @contextmanager
    def epoch(self, number: int, images: int) -> Iterator[Callable[[Tensor], Tensor]]:
        """Yield a function from each batch of inputs in turn to logits, float32[B, classes].

        Args:
            images: of the epoch; its logits are cached once all of them were seen.
        """
        file = self._cache / f"{number}.safetensors" if self._cache else None
        cached = _read(file, images) if file else None
        computed: list[Tensor] = []
        n_seen = 0

        def logits_of(inputs: Tensor) -> Tensor:
            nonlocal n_seen
            n_seen += len(inputs)
            if cached is not None:
                return cached[n_seen - len(inputs) : n_seen].to(self._device).float()
            logits = self._compute(inputs)
            if file and images * logits[0].nbytes <= LARGEST:
                computed.append(logits.cpu())
            return logits.float()

        yield logits_of
        if file and computed and n_seen == images:
            _write(torch.cat(computed), file)

    def _compute(self, inputs: Tensor) -> Tensor:
        with torch.no_grad():
            return cast(Tensor, self._network(inputs.to(self._dtype)))


def _read(file: Path, images: int) -> Tensor | None:
    try:
        require_plain_file(file)
        logits = load_file(file)[_TENSOR]
    except (OSError, SafetensorError, SchemaError, KeyError):
        return None
    if len(logits) != images:
        return None
    with suppress(OSError):
        file.touch()  # used last
    return logits


def _write(logits: Tensor, file: Path) -> None:
    try:
        save_weights({_TENSOR: logits}, file)
    except WeightsError:
        return  # a full disk costs time, not the run
    with suppress(OSError):  # another run may clear at the same time
        make_room(file.parents[1], ROOM)


def make_room(folder: Path, room: int) -> None:
    """Remove the least recently used logits in `folder` until those of all runs take at most `room` bytes."""
    files = {file: file.stat() for file in folder.glob("*/*.safetensors")}
    total = sum(status.st_size for status in files.values())
    for file in sorted(files, key=lambda file: files[file].st_mtime_ns):
        if total <= room:
            return
        file.unlink()
        total -= files[file].st_size
