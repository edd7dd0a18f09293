"""Read and write the weights of a model, safely: plain tensors only, all of them or none."""

import hashlib
import logging
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from legr.errors import WeightsError
from legr.files import in_words, write_safetensors
from legr.models.compact import compact, expanded
from legr.outside import require_plain_file
from legr.schema import SchemaError

__all__ = ["WeightsInfo", "hash_state", "load_state", "load_weights", "round_to_half", "save_weights"]

logger = logging.getLogger(__name__)

# Batch norm counts its batches here. Old files lack it and no evaluation reads it, so it is no part of
# what the weights are.
COUNTER = "num_batches_tracked"
_NUMBERS = {
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
}


@dataclass(frozen=True, slots=True)
class WeightsInfo:
    """What a model was loaded with.

    Attributes:
        sha256: `hash_state` of the model after loading; the same whatever the file format.
        metadata: the text pairs of a safetensors header; empty for torch files.
    """

    sha256: str
    metadata: dict[str, str]


def load_weights(model: nn.Module, path: str | Path) -> WeightsInfo:
    """Copy the weights in `path` into `model`; on any error the model is left as it was.

    Args:
        model: parameters and buffers named as in the file, a leading `module.` apart.
        path: a `.safetensors` file, or a torch file of tensors, bare or under "state_dict" or "model".

    Raises:
        WeightsError: the file is missing, damaged, holds more than plain tensors, or does not fit.
    """
    path = Path(path)
    if path.is_dir():
        raise WeightsError(f"weights must be a file, got the folder {path}: name a file in it")
    if not path.exists():
        raise WeightsError(f"there is no weights file {path}: check the path")
    try:
        require_plain_file(path)
    except (OSError, SchemaError) as error:
        raise WeightsError(f"{path} cannot be read ({error}): name a file of weights") from error
    read = _read_safetensors if path.suffix.lower() == ".safetensors" else _read_torch
    try:
        tensors, metadata = read(path)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error}): check its permissions") from error
    tensors = expanded(tensors, {name: tensor.shape for name, tensor in model.state_dict().items()}, path.name)
    _check_fit(model, tensors, path.name)
    _require_variances(model, tensors, path.name)
    load_state(model, tensors)
    return WeightsInfo(hash_state(model.state_dict()), metadata)


def load_state(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors that fit, with the state-dict version of the model: MNASNet requires one, and files have none."""
    state = OrderedDict(tensors)
    state._metadata = model.state_dict()._metadata  # type: ignore[attr-defined]
    model.load_state_dict(state, strict=False)  # what is missing stays: callers have checked


def round_to_half(model: nn.Module) -> None:
    """Round the weights of convolutions and linear layers, in place, to what float16 holds; norms stay as they are.

    `save_weights` then takes half the space without changing anything. A tensor too large for float16 is left alone.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            rounded = parameter.half().to(parameter)
            if parameter.dim() > 1 and rounded.isfinite().all():
                parameter.copy_(rounded)


def save_weights(
    source: nn.Module | Mapping[str, Tensor],
    path: str | Path,
    metadata: Mapping[str, str] | None = None,
    *,
    half: bool = False,
    without_zeros: bool = False,
) -> None:
    """Write a model's state (or a state_dict) to the safetensors file `path`, atomically.

    Args:
        source: tensors on any device; tied tensors are written once under each name.
        path: ends in `.safetensors`; its folder is made, an existing file is replaced.
        metadata: text pairs for the header, read back by `load_weights`.
        half: whether matrices and kernels that float16 holds exactly (`round_to_half`) are written in it.
        without_zeros: whether filters and channels of zeros alone are left out (`compact`).

    Raises:
        WeightsError: another suffix, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".safetensors":
        raise WeightsError(f"weights are written as .safetensors, got {path.name}: change the suffix")
    state = source.state_dict() if isinstance(source, nn.Module) else source
    # Clones, because safetensors refuses tensors that share memory.
    plain = {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}
    if half:
        plain = {name: _halved(tensor) for name, tensor in plain.items()}
    if without_zeros:
        plain = compact(plain)
    try:
        write_safetensors(path, save(plain, dict(metadata or {})))
    except OSError as error:
        raise WeightsError(f"{path.name} cannot be written: {in_words(error)}") from error


def _halved(tensor: Tensor) -> Tensor:
    small = tensor.half()
    exact = tensor.dtype == torch.float32 and tensor.dim() > 1 and torch.equal(small.float(), tensor)
    return small if exact else tensor


def hash_state(state: Mapping[str, Tensor]) -> str:
    """Return the sha256 (hex) of names, types, shapes and bytes, in order of name.

    Device, memory format and file format do not count, nor do batch norm's counters of batches.
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        if _is_counter(name):
            continue
        tensor = state[name].detach().cpu().contiguous()
        dtype = str(tensor.dtype).removeprefix("torch.")
        digest.update(f"{name}\0{dtype}\0{list(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            names = list(file.keys())
            return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except OSError:
        raise
    except Exception as error:  # also for kinds of numbers that only a later torch knows
        raise WeightsError(_damaged(path, "a safetensors file")) from error


def _read_torch(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    _require_unpacked(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged pickle can fail with nearly any type
        culprit = re.search(r"GLOBAL (\S+)", str(error))
        if isinstance(error, pickle.UnpicklingError) and culprit:
            raise WeightsError(
                f"{path.name} is refused: it holds the Python object {culprit[1]} besides tensors, and "
                "reading that could run code; save the model's state_dict() as .safetensors instead"
            ) from error
        raise WeightsError(_damaged(path, "a torch file of plain tensors")) from error
    for wrapper in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    plain = isinstance(content, dict) and all(
        isinstance(name, str) and isinstance(tensor, Tensor) and _is_plain(tensor) for name, tensor in content.items()
    )
    if not plain:
        raise WeightsError(
            f"{path.name} holds no mapping of names to tensors, bare or under 'state_dict' or 'model': "
            "save the model's state_dict()"
        )
    if all(name.startswith("module.") for name in content):
        content = {name.removeprefix("module."): tensor for name, tensor in content.items()}
    return content, {}


def _require_unpacked(path: Path) -> None:
    """Refuse a torch file whose parts are compressed: torch writes none, and a small one could fill the memory.

    Raises:
        WeightsError: they are.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unfolded = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return  # of a form that torch itself reads, or refuses
    if unfolded > path.stat().st_size:
        raise WeightsError(
            f"{path.name} unfolds to {unfolded / 1e6:,.0f} MB, which is more than it is; save it with torch.save again"
        )


def _damaged(path: Path, kind: str) -> str:
    return f"{path.name} is truncated, damaged or not {kind}: copy or download it again"


def _check_fit(model: nn.Module, tensors: Mapping[str, Tensor], file: str) -> None:
    """Raise WeightsError unless `tensors` fill every parameter and buffer of the model."""
    expected = model.state_dict()
    missing = [name for name in expected if name not in tensors and not _is_counter(name)]
    unexpected = [name for name in tensors if name not in expected]
    if missing or unexpected:
        problems = [
            f"{what} {_first(names)}" for what, names in (("lacks", missing), ("has unknown", unexpected)) if names
        ]
        raise WeightsError(
            f"{file} does not fit the model: it {' and '.join(problems)}; choose the model it was saved from"
        )
    misshapen = [name for name in tensors if tensors[name].shape != expected[name].shape]
    if misshapen:
        _refuse_shapes(model, tensors, misshapen, file)
    for name, tensor in tensors.items():
        if tensor.is_meta or tensor.dtype not in _NUMBERS:
            kind = "no numbers" if tensor.is_meta else f"numbers of the type {str(tensor.dtype).removeprefix('torch.')}"
            raise WeightsError(f"{file} holds {kind} in {name}; save it in float32, float16 or bfloat16")
        if tensor.is_floating_point() != expected[name].is_floating_point():
            raise WeightsError(
                f"{file} does not fit the model: {name} is {tensor.dtype}, the model's is "
                f"{expected[name].dtype}; save it unquantised"
            )
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise WeightsError(f"{file} holds infinite or undefined numbers in {name}: train or download it again")


def _require_variances(model: nn.Module, tensors: Mapping[str, Tensor], file: str) -> None:
    """Refuse variances below zero, whose root is no number."""
    for path, module in model.named_modules():
        variance = getattr(module, "running_var", None)
        name = f"{path}.running_var" if path else "running_var"
        if isinstance(module, _NormBase) and variance is not None and bool((tensors[name] < 0).any()):
            raise WeightsError(
                f"{file} holds {name} of {float(tensors[name].min()):.3g}, and a variance must be 0 or more: "
                "train or download it again"
            )


def _refuse_shapes(model: nn.Module, tensors: Mapping[str, Tensor], misshapen: list[str], file: str) -> None:
    expected = model.state_dict()
    owners = {name.rpartition(".")[0] for name in misshapen}
    linears = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    name = misshapen[0]
    saved, wanted = list(tensors[name].shape), list(expected[name].shape)
    if linears and owners == {linears[-1]} and saved[1:] == wanted[1:]:
        raise WeightsError(
            f"{file} was trained for {saved[0]} classes and the model has {wanted[0]}: choose images with "
            f"{saved[0]} classes, or weights trained for {wanted[0]}"
        )
    raise WeightsError(
        f"{file} does not fit the model: {name} has shape {saved}, the model's has {wanted}; "
        "choose the model it was saved from"
    )


def _first(names: list[str], limit: int = 3) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _is_plain(tensor: Tensor) -> bool:
    return tensor.layout == torch.strided and not tensor.is_quantized and not tensor.is_nested


def _is_counter(name: str) -> bool:
    return name.rpartition(".")[2] == COUNTER
