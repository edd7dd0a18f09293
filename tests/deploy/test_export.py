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
