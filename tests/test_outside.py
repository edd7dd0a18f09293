"""Files that are none, and files of what nobody asked for: refused in one sentence, at once."""

import os
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from legr.data.decode import decode_split
from legr.data.encoded import EncodedImage, labelled
from legr.data.single import open_image
from legr.deploy.bundle import WEIGHTS
from legr.deploy.unpack import unpacked
from legr.errors import DataError, ExportError, LegrError, WeightsError
from legr.models.weights import load_weights
from legr.outside import require_plain_file
from legr.schema import SchemaError


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.png")
    return folder / "pipe.png"


def a_socket(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(folder / "s"))
    return folder / "s"


def link_to_device(folder: Path) -> Path:
    (folder / "zero.safetensors").symlink_to("/dev/zero")
    return folder / "zero.safetensors"


NO_FILES = [pipe, a_socket, link_to_device, lambda folder: Path("/dev/zero"), lambda folder: folder]


@pytest.mark.parametrize("make", NO_FILES)
def test_what_is_no_file_is_refused(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path)
    with pytest.raises(SchemaError, match=r"it is a (pipe|socket|device|folder), not a file"):
        require_plain_file(path)
    for read, error in (
        (lambda: open_image(path), DataError),
        (lambda: load_weights(nn.Linear(1, 1), path), WeightsError),
        (lambda: unpacked(path).__enter__(), ExportError),
        (lambda: _decode(path), DataError),
    ):
        with pytest.raises(error):
            read()


def test_a_file_may_be_so_large(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.truncate(2**20 + 1)
    assert require_plain_file(path) == 2**20 + 1
    with pytest.raises(SchemaError, match="it must be at most 1 MB large, got 1"):
        require_plain_file(path, 2**20)


WEIGHT, BIAS = torch.ones(2, 3), torch.zeros(2)
STRANGE: dict[str, Callable[[], Tensor]] = {
    "float8": lambda: WEIGHT.to(torch.float8_e4m3fn),
    "complex": lambda: WEIGHT.to(torch.complex64),
    "meta": lambda: WEIGHT.to("meta"),
    "sparse": lambda: WEIGHT.to_sparse(),
    "quantized": lambda: torch.quantize_per_tensor(WEIGHT, 1.0, 0, torch.qint8),
    "whole numbers": lambda: WEIGHT.long(),
    "bits": lambda: WEIGHT.to(torch.uint16),
    "nested": lambda: torch.nested.nested_tensor([torch.ones(3), torch.ones(3)]),
    "expanded": lambda: torch.ones(1).expand(10**6, 10**6),  # a terabyte of four bytes
    "empty": lambda: torch.ones(0, 3),
    "infinite": lambda: WEIGHT * float("inf"),
}


@pytest.mark.filterwarnings("ignore:torch.quantize:UserWarning", "ignore:The PyTorch API of nested:UserWarning")
@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_of_a_strange_kind(kind: str, suffix: str, tmp_path: Path) -> None:
    path, state = tmp_path / f"w{suffix}", {"weight": STRANGE[kind](), "bias": BIAS}
    if suffix == ".pth":
        torch.save(state, path)
    else:
        try:
            save_file(state, path)
        except Exception:  # what safetensors does not write, nobody can hand over
            pytest.skip("safetensors has no such tensors")
    model = nn.Linear(3, 2)
    before = model.weight.clone()
    with pytest.raises(WeightsError) as error:
        load_weights(model, path)
    assert len(str(error.value)) < 300
    assert torch.equal(model.weight, before)


def test_a_torch_file_that_unfolds(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1000, 1000)}, tmp_path / "plain.pth")
    with zipfile.ZipFile(tmp_path / "plain.pth") as plain, zipfile.ZipFile(tmp_path / "w.pth", "w") as packed:
        for part in plain.infolist():
            packed.writestr(part.filename, plain.read(part), zipfile.ZIP_DEFLATED)
    with pytest.raises(WeightsError, match=r"w\.pth unfolds to 4 MB, which is more than it is"):
        load_weights(nn.Linear(1000, 1000, bias=False), tmp_path / "w.pth")


def _zip(path: Path, parts: list[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zips_that_are_no_exports(tmp_path: Path) -> None:
    half = ("recipe.json", b"{}")
    for parts, said in (
        ([half, (WEIGHTS, bytes(200 * 2**20))], "unfolds to 200 MB from 0 MB, as no weights do"),
        ([half, half, (WEIGHTS, b"")], "holds recipe.json twice"),
        ([half, (f"../{WEIGHTS}", b"")], "holds no network.safetensors"),
        ([half, (f"/{WEIGHTS}", b"")], "holds no network.safetensors"),
    ):
        with pytest.raises(ExportError, match=said), unpacked(_zip(tmp_path / "e.zip", parts)):
            pass


def _decode(content: bytes | Path) -> object:
    return decode_split(labelled("x", [0], 1, lambda: iter([[EncodedImage("x", content)]])), (3, 8, 8), "decoding")


def test_pictures_that_need_another_program_or_too_much_memory(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    Image.new("1", (20_000, 20_000)).save(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        for read in (open_image, _decode):
            with pytest.raises(LegrError):
                read(tmp_path / name)


def test_the_first_frame_of_an_animation_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    assert open_image(tmp_path / "a.png").getpixel((0, 0)) == (255, 0, 0)
