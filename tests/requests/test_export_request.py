"""What `export` is asked for: how many images the ONNX file takes, and its opset."""

from pathlib import Path

import pytest

from legr.errors import SettingsError
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest


def request(*arguments: str) -> ExportRequest:
    return ExportRequest.from_arguments(["--macs", "0.5", "--out", "x", *arguments])


def test_any_number_of_images_or_so_many() -> None:
    assert [request(*given).images for given in ((), ("--batch", "8"), ("--batch", "dynamic"))] == [1, 8, None]


@pytest.mark.parametrize("batch", ["0", "-1", "4097", "1.5", "many", "", "9" * 5000])
def test_no_other_batch_is_taken(batch: str) -> None:
    with pytest.raises(SettingsError, match=r"batch must be dynamic or in \[1, 4096\], got ") as said:
        _ = ExportRequest(Budget(macs=0.5), Path("x"), batch=batch).images
    assert len(str(said.value)) < 150


@pytest.mark.parametrize(("flag", "value"), [("--opset", "3"), ("--opset", "99"), ("--preprocess", "all")])
def test_no_other_opset_or_preparation(flag: str, value: str) -> None:
    said = {"--opset": r"opset must be in \[11, 23\]", "--preprocess": "must be one of none, normalize, uint8"}
    with pytest.raises(SettingsError, match=said[flag]):
        request(flag, value)


def test_a_request_in_a_record_is_read_again() -> None:
    asked = request("--batch", "dynamic", "--opset", "12", "--preprocess", "uint8", "--no-finetuned")
    assert (asked.images, asked.opset, asked.preprocess, asked.finetuned) == (None, 12, "uint8", False)
    assert ExportRequest.from_dict(asked.to_dict()) == ExportRequest.from_arguments(asked.arguments()) == asked
