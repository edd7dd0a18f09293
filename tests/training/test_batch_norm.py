"""Statistics of batch norms, against means and variances of plain Python."""

from statistics import fmean, pvariance, variance

import pytest
import torch
from torch import Tensor, nn

from legr.data.images import Dataset, Split
from legr.data.normalization import Normalization
from legr.training.batch_norm import (
    recalibrate,
    recalibrated,
    set_statistics,
    statistics_of,
    with_better_statistics,
)

BATCHES = [[1.0, 2.0, 3.0, 6.0], [10.0, 14.0]]  # one channel, one pixel an image
CPU = torch.device("cpu")
BYTES = Normalization("custom", (0.0,), (1.0,))  # inputs are bytes / 255


def network(momentum: float = 0.1) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(1, momentum=momentum, affine=False, eps=1e-9))


def inputs(values: list[float]) -> Tensor:
    return torch.tensor(values).view(-1, 1, 1, 1)


def test_recalibrated_statistics_are_the_mean_over_batches() -> None:
    net = network(0.25)
    recalibrate(net, map(inputs, BATCHES))
    found = statistics_of(net)
    assert list(found) == ["0.running_mean", "0.running_var"]
    assert found["0.running_mean"].item() == pytest.approx(fmean(fmean(b) for b in BATCHES))
    assert found["0.running_var"].item() == pytest.approx(fmean(variance(b) for b in BATCHES))
    assert net[0].momentum == 0.25 and not net.training and not net[0].training


def test_recalibration_leaves_how_long_a_norm_was_trained() -> None:
    net = network(0.25).train()
    for batch in (BATCHES * 3)[:5]:
        net(inputs(batch))
    recalibrate(net, map(inputs, BATCHES))
    assert len(BATCHES) != 5 and net[0].num_batches_tracked == 5


def test_each_kind_of_statistics_normalizes_by_its_own() -> None:
    batch = BATCHES[1]
    outputs = {
        "stale": batch,  # a new norm has mean 0 and variance 1
        "batch": [(x - fmean(batch)) / pvariance(batch) ** 0.5 for x in batch],
        "recalibrated": [
            (x - fmean(fmean(b) for b in BATCHES)) / fmean(variance(b) for b in BATCHES) ** 0.5 for x in batch
        ],
    }
    for kind, expected in outputs.items():
        net = set_statistics(network(), kind, [inputs(b) for b in BATCHES])  # type: ignore[arg-type]
        assert not net.training
        assert net(inputs(batch)).flatten().tolist() == pytest.approx(expected, rel=1e-5)


def grey(values: list[int]) -> Split:
    images = torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous()
    return Split(images, torch.tensor([int(value > 100) for value in values]))


def dataset(train: list[int]) -> Dataset:
    return Dataset("made", ("dark", "light"), grey(train), grey([0, 51, 204]), grey([0]), "made", False)


class Threshold(nn.Module):
    """Says light where the normalized mean is above a value."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.norm, self.value = nn.BatchNorm2d(1, affine=False, eps=1e-9), value

    def forward(self, x: Tensor) -> Tensor:
        mean = self.norm(x).mean((1, 2, 3))
        return torch.stack((torch.full_like(mean, self.value), mean), dim=1)


def test_a_recalibrated_copy_has_the_statistics_of_training_images() -> None:
    model = Threshold(0.0)
    copied = recalibrated(model, dataset([0, 51, 153, 204]), BYTES, device=CPU)
    values = [v / 255 for v in (0, 51, 153, 204) for _ in range(64)]
    assert copied.norm.running_mean.item() == pytest.approx(fmean(values), rel=1e-5)
    assert copied.norm.running_var.item() == pytest.approx(variance(values), rel=1e-5)
    assert model.norm.running_mean.item() == 0


@pytest.mark.parametrize(
    ("value", "train", "copy_is_better"),
    [
        (
            0.0,
            [0, 51, 153, 204],
            True,
        ),  # held-out images: 0, 0.2, 0.8 stale; -1.3, -0.6, 1.3 recalibrated
        (0.5, [255, 255, 204, 204], False),  # all below 0 by the statistics of bright images
    ],
)
def test_the_better_statistics_have_the_higher_accuracy_on_held_out_images(
    value: float, train: list[int], copy_is_better: bool
) -> None:
    model = Threshold(value)
    better, is_copy = with_better_statistics(model, dataset(train), BYTES, device=CPU)
    assert is_copy == copy_is_better and (better is model) != copy_is_better


def test_a_network_without_batch_norm_stays_as_it_is() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    assert with_better_statistics(model, dataset([0, 51]), BYTES, device=CPU) == (model, False)
