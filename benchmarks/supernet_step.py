"""What slicing costs: `python -m benchmarks.supernet_step [NAME …] [--out FILE]`.

A step of a supernet runs forward and backward of several slices of one set of weights. Beside it the same networks run
by themselves, each with weights of its own, in turns on one thread. Random weights and images; 128 images a step.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import legr
from benchmarks.architectures import build, shape_of
from legr.ranking.budget import BudgetCurve
from legr.ranking.order import Ranker
from legr.structure.surgery import prune
from legr.structure.types import Structure
from legr.training.device import autocast, machine_name
from legr.training.fast_batch_norm import compute_fast
from legr.training.slices import Slices
from legr.training.supernet import Supernet
from legr.training.supernet_settings import SupernetSettings

NAMES = ("cifar_resnet20", "cifar_resnet56")
RESULTS = Path(__file__).parent / "results" / "supernet-step.json"
SHARES, IMAGES, NORMS = (0.6, 0.3, 0.1), 128, 12
_TURNS = 5
CPU = torch.device("cpu")


def row(name: str) -> dict[str, Any]:
    """Images a second of all networks together, as slices and by themselves."""
    (alone, inputs), (model, structure, curve) = networks_alone(name), ranked(name)
    supernet = Supernet(model, SHARES[-1], SupernetSettings(smallest=SHARES[-1], norms=NORMS))
    slices, keeps = Slices(model, structure), {share: curve.at(macs=share) for share in SHARES}
    for network in alone:
        compute_fast(network)

    def sliced() -> None:
        for share, keep in keeps.items():
            with autocast(CPU):
                outputs = slices.at(keep)(supernet.parameters_at(share), inputs)
            _backward(outputs, supernet)

    seconds = in_turns({"slices": sliced, "by themselves": steps_alone(alone, inputs)}, _TURNS)
    images = IMAGES * len(SHARES)
    return {
        "network": shape_of(name, largest=None)[0],
        "images_per_second": {way: round(images / median, 1) for way, median in seconds.items()},
        "overhead": round(seconds["slices"] / seconds["by themselves"] - 1, 4),
        "machine": f"{machine_name(CPU)}, {torch.get_num_threads()} thread, {torch.__version__!s}",
    }


def networks_alone(name: str) -> tuple[list[nn.Module], Tensor]:
    """The networks of the shares, each with weights of its own, and a batch of images for them."""
    model, structure, curve = ranked(name)
    networks = [prune(model, structure, curve.at(macs=share)).train() for share in SHARES]
    _, shape = shape_of(name, largest=None)
    return networks, torch.randn(IMAGES, *shape).contiguous(memory_format=torch.channels_last)


def ranked(name: str) -> tuple[nn.Module, Structure, BudgetCurve]:
    """A network in training, and the curve of its filters by their norms."""
    name, shape = shape_of(name, largest=None)
    model = build(name).to(memory_format=torch.channels_last).train()
    structure = legr.trace(model, torch.zeros(1, *shape))
    return model, structure, BudgetCurve(structure, Ranker(structure, legr.filter_norms(model, structure)).rank())


def steps_alone(networks: Sequence[nn.Module], inputs: Tensor) -> Callable[[], None]:
    """Forward and backward of each network."""

    def run() -> None:
        for network in networks:
            with autocast(CPU):
                outputs = network(inputs)
            _backward(outputs, network)

    return run


def _backward(outputs: Tensor | tuple[Tensor | None, ...], network: nn.Module) -> None:
    assert isinstance(outputs, Tensor)
    network.zero_grad(set_to_none=True)
    outputs.float().square().mean().backward()


def in_turns(ways: dict[str, Callable[[], None]], turns: int) -> dict[str, float]:
    """Median seconds of each way, after one run that does not count."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(turns + 1):
        for way, run in ways.items():
            start = time.perf_counter()
            run()
            if turn:
                times[way].append(time.perf_counter() - start)
    return {way: statistics.median(taken) for way, taken in times.items()}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = [row(name) for name in arguments.names]
    arguments.out.write_text(json.dumps(rows, indent=1) + "\n")
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
