"""Heads that only training has: they add to the loss as in their papers, and evaluation does not see them."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from legr.data.load import load_dataset
from legr.models.zoo import build_model
from legr.progress import silent
from legr.training.losses import _auxiliary_loss
from legr.training.settings import TrainSettings
from legr.training.teacher import Teacher
from legr.training.train import train


class TwoHeads(nn.Module):
    """Returns (logits, logits of a second head) in training mode, as Inception v3 does."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head, self.further = nn.Conv2d(3, 8, 3, 2), nn.Linear(8, 10), nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = F.relu(self.stem(x)).mean((2, 3))
        return (self.head(x), self.further(x)) if self.training else self.head(x)


def test_a_second_head_is_trained_as_well(tmp_path: Path) -> None:
    model, dataset = TwoHeads(), load_dataset("digits", (3, 8, 8))
    settings = TrainSettings(epochs=1)
    trained = train(
        model, Teacher(model, torch.device("cpu")), dataset, dataset.statistics(), settings,
        device=torch.device("cpu"), checkpoint=tmp_path / "c.safetensors", report=silent,
    ).model  # fmt: skip
    assert not torch.equal(trained.get_parameter("further.weight"), model.further.weight)
    assert trained(torch.zeros(2, 3, 8, 8)).shape == (2, 10)


def test_the_weights_are_those_of_the_papers() -> None:
    labels = torch.tensor([0, 1])
    first, second = torch.eye(2), torch.zeros(2, 2)
    one, two = (float(F.cross_entropy(logits, labels)) for logits in (first, second))
    assert float(_auxiliary_loss([], labels)) == 0
    assert float(_auxiliary_loss([None], labels)) == 0  # a model built without its further heads
    assert float(_auxiliary_loss([first], labels)) == pytest.approx(0.4 * one)
    assert float(_auxiliary_loss([first, second], labels)) == pytest.approx(0.3 * (one + two))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "heads"), [("googlenet", 3), ("inception_v3", 2)])
def test_torchvisions_models_give_the_final_answer_first(name: str, heads: int) -> None:
    model = build_model(name, 4).train()
    outputs = model(torch.zeros(2, 3, 299, 299))
    assert isinstance(outputs, tuple) and len(outputs) == heads
    assert outputs._fields[0] == "logits"
