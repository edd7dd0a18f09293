"""The check of an exported network in ONNX Runtime."""

from pathlib import Path

import pytest
import torch
from torch import nn

from legr.deploy.export import check_agreement, export_onnx


@pytest.mark.slow
def test_answers_that_are_no_numbers_do_not_agree(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    export_onnx(network, (1, 8, 8), tmp_path / "network.onnx")
    images = [torch.randn(4, 1, 8, 8), torch.randn(2, 1, 8, 8)]
    fed = [(batch, batch.numpy()) for batch in images]
    assert check_agreement(network, tmp_path / "network.onnx", fed).max_abs_diff < 1e-4
    images[0][1] = torch.inf  # one of six
    assert check_agreement(network, tmp_path / "network.onnx", fed).max_abs_diff == torch.inf


@pytest.mark.slow
def test_the_layout_of_weights_in_memory_does_not_show_in_the_file(tmp_path: Path) -> None:
    layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    for name, layout in (("plain", torch.contiguous_format), ("last", torch.channels_last)):
        export_onnx(nn.Sequential(*layers).to(memory_format=layout), (3, 8, 8), tmp_path / name)
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "last").read_bytes()
