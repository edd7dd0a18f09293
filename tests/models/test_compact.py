"""Slices of zeros are left out of a file and come back; positions that do not fit are refused."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from legr.errors import WeightsError
from legr.models.compact import compact, expanded
from legr.models.weights import load_weights, save_weights

SHAPES = {"a": (4, 3, 2, 2), "b": (5,), "c": (2, 2), "counter": (3,), "scalar": ()}


def state() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    found = {name: torch.rand(shape, generator=generator) + 1 for name, shape in SHAPES.items()}
    found["a"][[0, 2]] = 0
    found["a"][:, 1] = 0
    found["b"][3] = 0
    found["c"].zero_()
    found["counter"] = torch.zeros(3, dtype=torch.int64)
    return found


def test_filters_and_channels_of_zeros_are_left_out_and_come_back() -> None:
    tensors, shapes = state(), {name: torch.Size(shape) for name, shape in SHAPES.items()}
    found = compact(tensors)
    assert found["a"].shape == (2, 2, 2, 2) and found["kept0:a"].tolist() == [1, 3]
    assert found["kept1:a"].tolist() == [0, 2] and found["kept0:b"].tolist() == [0, 1, 2, 4]
    assert found["c"].numel() == 0 and torch.equal(found["counter"], tensors["counter"])
    back = expanded(found, shapes, "file")
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)


def test_a_model_comes_back_from_a_file_without_zeros(tmp_path: Path) -> None:
    model, again = nn.Conv2d(6, 8, 3), nn.Conv2d(6, 8, 3)
    with torch.no_grad():
        model.weight[2:7] = 0
        model.weight[:, 0] = 0
    for name, without_zeros in (("whole", False), ("compact", True)):
        save_weights(model, tmp_path / f"{name}.safetensors", without_zeros=without_zeros)
    load_weights(again, tmp_path / "compact.safetensors")
    assert torch.equal(again.weight, model.weight) and torch.equal(again.bias, model.bias)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "compact")]
    assert sizes[1] < sizes[0] - 1000


@pytest.mark.parametrize(
    ("name", "positions"),
    [
        ("kept0:weight", [0, 99]),
        ("kept0:weight", [-1, 1]),
        ("kept0:weight", [1, 1]),
        ("kept0:weight", [0, 1, 2]),
        ("kept0:weight", [[0, 1]]),
        ("kept1:bias", [0, 1]),
        ("kept0:other", [0, 1]),
    ],
)
def test_positions_that_do_not_fit_are_refused(name: str, positions: list[int], tmp_path: Path) -> None:
    model = nn.Conv2d(6, 8, 3)
    with torch.no_grad():
        model.weight[2:] = 0
    save_weights(model, tmp_path / "a.safetensors", without_zeros=True)
    tensors = load_file(tmp_path / "a.safetensors")
    tensors[name] = torch.tensor(positions, dtype=torch.int32)
    save_file(tensors, tmp_path / "b.safetensors")
    with pytest.raises(WeightsError, match="fit"):
        load_weights(model, tmp_path / "b.safetensors")


def test_positions_of_another_kind_are_refused(tmp_path: Path) -> None:
    model = nn.Conv2d(6, 8, 3)
    tensors = {"weight": model.weight.detach()[:2], "bias": model.bias.detach(), "kept0:weight": torch.tensor([0.0, 1])}  # type: ignore[union-attr]
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, tmp_path / "b.safetensors")
    with pytest.raises(WeightsError, match="does not fit its tensor"):
        load_weights(model, tmp_path / "b.safetensors")


def test_a_file_that_asks_for_too_much_memory_is_refused(tmp_path: Path) -> None:
    model = nn.Conv2d(6, 8, 3)
    for shape in ((0, 10**9, 3, 3), (0, 6, 3), (0, 6, 4, 3)):
        tensors = {
            "weight": torch.zeros(shape),
            "bias": torch.zeros(8),
            "kept0:weight": torch.zeros(0, dtype=torch.int32),
        }
        save_file(tensors, tmp_path / "b.safetensors")
        with pytest.raises(WeightsError, match="does not fit its tensor"):
            load_weights(model, tmp_path / "b.safetensors")
