"""Weights files: what is read is all of it and only tensors; everything else is refused in words."""

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from legr.errors import WeightsError
from legr.models.weights import hash_state, load_weights, round_to_half, save_weights
from legr.models.zoo import build_model


@pytest.fixture
def model() -> nn.Module:
    return build_model("cifar_resnet8", 10, seed=1)


@pytest.fixture
def blank() -> nn.Module:
    return build_model("cifar_resnet8", 10, seed=2)


def refused(model: nn.Module, path: Path, pattern: str) -> None:
    """Check that loading fails with `pattern` in the message and leaves the model as it was."""
    before = hash_state(model.state_dict())
    with pytest.raises(WeightsError, match=pattern):
        load_weights(model, path)
    assert hash_state(model.state_dict()) == before


def test_safetensors_come_back_with_their_metadata(model: nn.Module, blank: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a.safetensors"
    save_weights(model, path, {"made by": "a test"})
    info = load_weights(blank, path)
    assert info.metadata == {"made by": "a test"}
    assert info.sha256 == hash_state(model.state_dict()) == hash_state(blank.state_dict())
    assert torch.equal(blank.get_parameter("conv1.weight"), model.get_parameter("conv1.weight"))
    assert [file.name for file in path.parent.iterdir()] == ["a.safetensors"]  # no temporary file is left


@pytest.mark.parametrize("wrap", [dict, lambda s: {"state_dict": s, "epoch": 3}, lambda s: {"model": s}])
def test_torch_files_hash_like_safetensors(model: nn.Module, blank: nn.Module, tmp_path: Path, wrap: Any) -> None:
    state = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
    torch.save(wrap(state), tmp_path / "a.th")
    info = load_weights(blank, tmp_path / "a.th")
    assert info.sha256 == hash_state(model.state_dict())
    assert info.metadata == {}


def test_counters_of_batches_may_be_missing(model: nn.Module, blank: nn.Module, tmp_path: Path) -> None:
    state = {name: tensor for name, tensor in model.state_dict().items() if "num_batches" not in name}
    torch.save(state, tmp_path / "old.pth")
    assert load_weights(blank, tmp_path / "old.pth").sha256 == hash_state(state)


def test_the_hash_is_the_documented_one() -> None:
    state = {"b": torch.tensor([[1.0, 2.0]]), "a": torch.tensor(3, dtype=torch.int64)}
    content = b"a\0int64\0[]\0" + (3).to_bytes(8, "little")
    content += b"b\0float32\0[1, 2]\0" + bytes.fromhex("0000803f00000040")
    assert hash_state(state) == hashlib.sha256(content).hexdigest()


def test_the_hash_sees_values_names_shapes_and_types_but_not_layout() -> None:
    def one(tensor: Tensor, name: str = "w") -> str:
        return hash_state({name: tensor})

    images = torch.arange(48.0).view(1, 3, 4, 4)
    assert one(images) == one(images.to(memory_format=torch.channels_last))
    changes = [images + 1, images.view(3, 16), images.half(), images.bfloat16()]
    assert len({one(images), one(images, "v"), *map(one, changes)}) == 6


def test_tied_weights_are_written_under_both_names(tmp_path: Path) -> None:
    tied = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    tied[1].weight = tied[0].weight
    save_weights(tied, tmp_path / "tied.safetensors")
    assert sorted(load_file(tmp_path / "tied.safetensors")) == ["0.weight", "1.weight"]


def test_a_failed_write_keeps_the_old_file(model: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    save_weights(model, path)
    before = path.read_bytes()

    def full_disk(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(WeightsError, match=r"No space left on device.*free some space"):
        save_weights(build_model("cifar_resnet8", 10, seed=5), path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_another_suffix_is_refused(model: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"written as .safetensors, got a.pth"):
        save_weights(model, tmp_path / "a.pth")


class Exploit:
    """Unpickling it would make the file `EXPLOITED` in the current folder."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch EXPLOITED",)


def test_a_pickle_that_runs_code_is_refused_by_name_and_not_run(
    blank: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Exploit()}, tmp_path / "evil.th")
    refused(blank, tmp_path / "evil.th", r"evil.th is refused: .* (posix|nt).system .* as .safetensors")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(Exploit(), protocol=2))
    refused(blank, tmp_path / "plain.pkl", "plain.pkl")
    assert not (tmp_path / "EXPLOITED").exists()


def test_a_pickled_model_is_refused(blank: nn.Module, tmp_path: Path) -> None:
    torch.save(blank, tmp_path / "whole.pt")
    refused(blank, tmp_path / "whole.pt", r"whole.pt is refused.*CifarResNet.*state_dict")


@pytest.mark.parametrize("content", [{"epoch": 3}, [1, 2], {"state_dict": {"a": 1}}, {1: torch.zeros(1)}])
def test_a_torch_file_of_other_things_is_refused(blank: nn.Module, tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "other.th")
    refused(blank, tmp_path / "other.th", "other.th holds no mapping of names to tensors")


def test_missing_files_and_folders_are_named(blank: nn.Module, tmp_path: Path) -> None:
    refused(blank, tmp_path / "none.th", "there is no weights file .*none.th")
    refused(blank, tmp_path, "must be a file, got the folder")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("name", ["a.safetensors", "a.th", "legacy.th"])
def test_truncated_files_are_refused(model: nn.Module, tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / name
    if name == "a.safetensors":
        save_weights(model, path)
    else:
        torch.save(model.state_dict(), path, _use_new_zipfile_serialization=name == "a.th")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(build_model("cifar_resnet8", 10), path, f"{name} is truncated, damaged or not")


def test_names_that_do_not_fit_are_listed(model: nn.Module, blank: nn.Module, tmp_path: Path) -> None:
    state = model.state_dict()
    state["stem.weight"] = state.pop("conv1.weight")
    save_weights(state, tmp_path / "a.safetensors")
    refused(blank, tmp_path / "a.safetensors", "it lacks conv1.weight and has unknown stem.weight; choose")
    save_weights({"linear.bias": state["linear.bias"]}, tmp_path / "few.safetensors")
    refused(blank, tmp_path / "few.safetensors", r"it lacks .*, .*, .* and \d+ more; choose")


def test_the_first_wrong_shape_is_named(model: nn.Module, blank: nn.Module, tmp_path: Path) -> None:
    state = model.state_dict() | {"conv1.weight": torch.zeros(16, 1, 3, 3)}
    save_weights(state, tmp_path / "a.safetensors")
    refused(
        blank,
        tmp_path / "a.safetensors",
        r"conv1.weight has shape \[16, 1, 3, 3\], .* \[16, 3, 3, 3\]; choose",
    )


def test_another_number_of_classes_is_said_so(blank: nn.Module, tmp_path: Path) -> None:
    save_weights(build_model("cifar_resnet8", 100), tmp_path / "a.safetensors")
    refused(blank, tmp_path / "a.safetensors", "trained for 100 classes and the model has 10: choose images with")


def test_numbers_that_are_none_are_refused(model: nn.Module, blank: nn.Module, tmp_path: Path) -> None:
    model.get_parameter("conv1.weight").data[0, 0, 0, 0] = torch.nan
    save_weights(model, tmp_path / "a.safetensors")
    refused(blank, tmp_path / "a.safetensors", "infinite or undefined numbers in conv1.weight")


def test_integers_in_place_of_weights_are_refused(model: nn.Module, blank: nn.Module, tmp_path: Path) -> None:
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(state | {"conv1.weight": torch.zeros(16, 3, 3, 3, dtype=torch.int8)}, tmp_path / "a.safetensors")
    refused(blank, tmp_path / "a.safetensors", "conv1.weight is torch.int8, the model's is torch.float32")


@pytest.mark.needs_data
@pytest.mark.parametrize(("depth", "tag"), [(20, "12fca82f"), (56, "4bfd9763")])
def test_published_weights_load_and_survive_conversion(real_data: Path, tmp_path: Path, depth: int, tag: str) -> None:
    model = build_model(f"cifar_resnet{depth}", 10)
    info = load_weights(model, real_data / "weights" / f"resnet{depth}-{tag}.th")
    save_weights(model, tmp_path / "a.safetensors")
    again = build_model(f"cifar_resnet{depth}", 10, seed=1)
    assert load_weights(again, tmp_path / "a.safetensors").sha256 == info.sha256


def test_rounded_weights_come_back_the_same_from_half_the_space(
    model: nn.Module, blank: nn.Module, tmp_path: Path
) -> None:
    with torch.no_grad():
        model.get_parameter("linear.weight").mul_(1e6)  # more than float16 holds: stays as it is
    plain, rounded = tmp_path / "plain.safetensors", tmp_path / "rounded.safetensors"
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    save_weights(model, plain, half=True)
    assert hash_state(load_file(plain)) == hash_state(before)  # random weights: float16 would change them
    round_to_half(model)
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {name for name, tensor in before.items() if tensor.dim() == 4}
    for name in changed:
        assert (model.state_dict()[name] - before[name]).abs().max() < 2**-11 * before[name].abs().max()
    save_weights(model, rounded, half=True)
    assert rounded.stat().st_size < 0.6 * plain.stat().st_size
    assert load_weights(blank, rounded).sha256 == hash_state(model.state_dict())
