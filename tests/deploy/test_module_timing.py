"""Times of modules alone: what a call takes, and what is said of one that cannot be called so."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import legr
from legr.deploy import module_timing
from legr.deploy.module_calls import Activation, ModuleCall
from legr.deploy.module_network import ModuleNetwork
from legr.errors import ExportError
from tests.nets import example, make


class Inseparable(nn.Module):
    """A module in it refuses what it has not seen in the network."""

    class Remembers(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if bool((x < 0).any()):
                raise ValueError("only what a network gives")
            return x + 1

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last, self.head = nn.Conv2d(3, 8, 1), self.Remembers(), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.last(self.first(x).abs()).mean((2, 3)))


@pytest.mark.parametrize("calls", [1, 10])
def test_a_time_is_that_of_one_call_however_many_follow_each_other(calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On an accelerator a call returns before its result is there. Here each takes 30 ms, and one of nothing 10 ms."""
    clock, called = [0.0], []

    class Slow(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            clock[0] += 0.03
            called.append(tuple(x.shape))
            return x

    def nothing(_: nn.Module, x: Tensor) -> Tensor:
        clock[0] += 0.01
        return x

    monkeypatch.setattr(module_timing, "_CALLS", {"cpu": calls})
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    monkeypatch.setattr(nn.Identity, "forward", nothing)
    read = Activation((1, 5), (0, 1), torch.float32)
    layer = module_timing.Alone(Slow(), ModuleCall("", ((torch.empty(0),), {}), (read,), ()), (read,))
    assert module_timing.milliseconds_of([layer], torch.device("cpu")).tolist() == pytest.approx([20.0])
    assert set(called) == {(1, 5)} and len(called) % calls == 0


def test_a_module_that_cannot_be_called_alone_is_one_sentence() -> None:
    model = make(Inseparable).eval()
    structure = legr.trace(model, example())
    network = ModuleNetwork(model, structure, (3, 8, 8), torch.device("cpu"), threads=1, batch=1)
    layer = next(x.layer for x in network.layers.placed if x.name == "last")
    with pytest.raises(ExportError, match="cannot be called alone: only what a network gives; time whole networks"):
        network.time_layer(layer, [np.array([8])])
