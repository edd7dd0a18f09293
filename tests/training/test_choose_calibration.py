"""Which images batch norms are recalibrated on, for networks made so that the right choice is known beforehand.

Images are grey all over, of 8 x 8 pixels; crops come from a border of one pixel on each side. A crop shows 22 of 24
rows and columns of the image on average, so with a black border its mean is 84 % of the image's.
"""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from legr.data.images import Dataset, Split
from legr.data.normalization import Normalization
from legr.training.batch_norm import mean_deviation, recalibrated, statistics_of, with_better_statistics
from legr.training.calibration import CALIBRATIONS, GIVEN, PLAIN, Calibration
from legr.training.choose_calibration import choose_calibration, difference

CPU = torch.device("cpu")
GREY = Normalization(
    "custom", (105 / 255,), (1.0,)
)  # of the training images, so a border of the mean colour is no border
BLACK = Calibration("augmented", "black")
SHOWN = (22 / 24) ** 2  # of the image, by a crop


class AboveMean(nn.Module):
    """Says light where an image is lighter than the mean that its batch norm has.

    Args:
        mean: of the statistics that its weights came with, a byte.
    """

    def __init__(self, mean: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1, affine=False)
        assert self.norm.running_mean is not None
        self.norm.running_mean.fill_((mean - 105) / 255)

    def forward(self, x: Tensor) -> Tensor:
        mean = self.norm(x).mean((1, 2, 3))
        return torch.stack((torch.zeros_like(mean), mean), dim=1)


def grey(values: list[int], light: list[bool]) -> Split:
    images = torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous()
    return Split(images, torch.tensor(light).long())


def dataset(dark: int, light: int, pairs: int = 20) -> Dataset:
    """Training images of 105, and as many dark as light ones held out."""
    train = grey([105] * 512, [False] * 512)
    heldout = grey([dark, light] * pairs, [False, True] * pairs)
    return Dataset("made", ("dark", "light"), train, heldout, grey([0], [False]), "made", False)


def pruned() -> Iterator[nn.Module]:
    """Two networks whose statistics are stale: all is light."""
    yield from (AboveMean(0), AboveMean(0))


def test_a_network_of_crops_from_black_is_recalibrated_on_such_crops() -> None:
    """It was trained with borders: the mean between dark (80) and light (96) is 88 for it, and 105 for plain images."""
    verdict = choose_calibration(AboveMean(105 * SHOWN), pruned(), dataset(80, 96), GREY, CPU)
    assert verdict.calibration == BLACK
    assert verdict.deviations["black"] < verdict.deviations["mean"]
    assert [dict(top1) for top1 in verdict.top1] == 2 * [{"given": 0.5, "plain": 0.5, "augmented": 1, "both": 0.5}]
    # 20 of 40 images are right in addition: a half, and the root of 20 over 40
    found = verdict.differences["augmented"]
    assert (found.mean, found.noise) == (0.5, pytest.approx(math.sqrt(20) / 40))
    assert verdict.heldout_images == 40


def test_where_plain_images_are_right_they_stay() -> None:
    verdict = choose_calibration(AboveMean(105 * SHOWN), pruned(), dataset(100, 110), GREY, CPU)
    assert verdict.calibration == PLAIN
    assert verdict.differences["augmented"].mean == -0.5  # borders make all of them light


def test_what_chance_may_explain_is_not_chosen() -> None:
    """Two images more are right of four: 0.5, and a standard error of the root of 2 over 4."""
    verdict = choose_calibration(AboveMean(105 * SHOWN), pruned(), dataset(80, 96, pairs=2), GREY, CPU)
    assert verdict.differences["augmented"].mean == 0.5
    assert verdict.calibration == PLAIN


def test_both_kinds_are_chosen_where_the_truth_lies_between() -> None:
    """Their mean is 97: between dark (93) and light (101), where plain images say 105 and crops 88."""
    verdict = choose_calibration(AboveMean(105 * SHOWN), pruned(), dataset(93, 101), GREY, CPU)
    assert verdict.calibration == Calibration("both", "black")


def test_statistics_that_are_right_as_given_stay() -> None:
    """Neither images nor crops have a mean between 60 and 70."""
    networks = (AboveMean(65), AboveMean(65))
    verdict = choose_calibration(AboveMean(65), networks, dataset(60, 70), GREY, CPU)
    assert verdict.calibration == GIVEN
    model = AboveMean(65)
    assert with_better_statistics(model, dataset(60, 70), GREY, device=CPU, calibration=GIVEN) == (model, False)


def test_the_choice_is_the_same_again() -> None:
    first, second = (choose_calibration(AboveMean(105 * SHOWN), pruned(), dataset(80, 96), GREY, CPU) for _ in range(2))
    assert first == second


def test_each_network_is_reported_when_it_is_judged() -> None:
    done: list[int] = []
    choose_calibration(AboveMean(0), pruned(), dataset(80, 96, pairs=2), GREY, CPU, done.append)
    assert done == [1, 2]


def test_a_difference_is_that_of_paired_answers() -> None:
    alternative, plain = torch.tensor([1.0, 1.0, 0.5, 0.0]), torch.tensor([0.0, 1.0, 1.0, 0.0])
    found = difference(alternative, plain)
    assert (found.mean, found.noise) == (0.125, pytest.approx(math.sqrt(1.25) / 4))
    assert not found.is_better


@pytest.mark.parametrize("calibration", CALIBRATIONS, ids=lambda calibration: calibration.key)
def test_a_copy_has_the_mean_of_what_it_is_recalibrated_on(calibration: Calibration) -> None:
    found = recalibrated(AboveMean(30), dataset(0, 255), GREY, device=CPU, calibration=calibration, n_images=512)
    mean = statistics_of(found)["norm.running_mean"].item() * 255 + 105
    cropped = 105 * SHOWN if calibration.border == "black" else 105
    expected = {"given": 30, "plain": 105, "augmented": cropped, "both": (105 + cropped) / 2}[calibration.images]
    assert mean == pytest.approx(expected, abs=1)  # crops are drawn at random


def test_the_deviation_is_in_standard_deviations() -> None:
    other = AboveMean(105)
    assert other.norm.running_var is not None
    other.norm.running_var.fill_(0.25)
    assert mean_deviation(AboveMean(156), other) == pytest.approx(51 / 255 / 0.5, rel=1e-4)
    assert mean_deviation(nn.Identity(), nn.Identity()) == 0
