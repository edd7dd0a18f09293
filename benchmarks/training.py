"""How fast networks are fine-tuned: images a second of this program's loop beside plain ones, in turns in one run.

    python -m benchmarks.training --study STUDY [--images 2560] [--rounds 3] [--threads 1] [--out FILE]

The study needs a learned ranking. For the original and for pruned networks of it, on the same images with the same
augmentation, batches of 128:

    float32       a plain loop, channels first
    plain         a plain loop with bf16 autocast and channels last
    plain taught  the same, and the original's logits for every batch
    first run     this program's loop with its teacher
    later runs    the same, when the study was fine-tuned before with this seed: the teacher's logits are cached
"""

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.studies import CPU, Bench
from legr.data.batches import Augmentation, iterate
from legr.data.images import Dataset, Split
from legr.files import write_json
from legr.progress import silent
from legr.structure.surgery import prune
from legr.training.device import autocast, device_name
from legr.training.settings import TrainSettings
from legr.training.teacher import Teacher
from legr.training.train import train

BATCH = 128
NETWORKS = (("learned", 0.47), ("learned", 0.2), ("learned", 0.1), ("uniform", 0.2))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--images", type=int, default=2560)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    bench = Bench.of(options.study)
    bench = replace(bench, dataset=_few(bench.dataset, options.images))
    rows = {}
    for name, network in (("original", bench.model), *((f"{r} {b:.0%}", _pruned(bench, r, b)) for r, b in NETWORKS)):
        rows[name] = {way: round(speed, 1) for way, speed in measured(bench, network, options.rounds).items()}
        print(name, rows[name], flush=True)
    if options.out:
        write_json(options.out, {"machine": device_name(CPU), "torch": torch.__version__, "images_per_second": rows})


def measured(bench: Bench, network: nn.Module, rounds: int) -> dict[str, float]:
    """Images a second of every way: the median over rounds in which each has its turn."""
    with tempfile.TemporaryDirectory() as folder:
        logits = Path(folder) / "logits"
        ours(bench, network, logits)  # the teacher's logits are cached from now on
        ways: dict[str, Callable[[], None]] = {
            "float32": lambda: plain(bench, network, fast=False),
            "plain": lambda: plain(bench, network),
            "plain taught": lambda: plain(bench, network, taught=True),
            "first run": lambda: ours(bench, network, None),
            "later runs": lambda: ours(bench, network, logits),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, run in ways.items():
                start = time.perf_counter()
                run()
                seconds[way].append(time.perf_counter() - start)
    return {way: len(bench.dataset.train) / statistics.median(times) for way, times in seconds.items()}


def ours(bench: Bench, network: nn.Module, logits: Path | None) -> None:
    """One epoch of this program's loop."""
    with tempfile.TemporaryDirectory() as folder:
        train(
            network,
            Teacher(bench.model, CPU, logits),
            bench.dataset,
            bench.normalization,
            TrainSettings(epochs=1, batch=BATCH),
            device=CPU,
            checkpoint=Path(folder) / "run.safetensors",
            report=silent,
        )


def plain(bench: Bench, network: nn.Module, *, fast: bool = True, taught: bool = False) -> None:
    """One epoch as it is usually written."""
    form = torch.channels_last if fast else torch.contiguous_format
    student = copy.deepcopy(network).to(memory_format=form).train()
    teacher = bench.model.to(memory_format=form).eval()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
    augment = Augmentation(torch.Generator().manual_seed(0))
    batches = iterate(bench.dataset.train, bench.normalization, batch=BATCH, augment=augment, channels_last=fast)
    for inputs, labels in batches:
        with autocast(CPU) if fast else nullcontext():
            outputs = student(inputs).float()
            loss = F.cross_entropy(outputs, labels)
            if taught:
                with torch.no_grad():
                    logits = teacher(inputs).float()
                loss = loss + F.kl_div(F.log_softmax(outputs / 4, 1), F.softmax(logits / 4, 1), reduction="batchmean")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _few(dataset: Dataset, images: int) -> Dataset:
    def first(split: Split, count: int) -> Split:
        return Split(split.images[:count], split.labels[:count])

    return replace(dataset, train=first(dataset.train, images), heldout=first(dataset.heldout, BATCH))


def _pruned(bench: Bench, ranking: str, budget: float) -> nn.Module:
    learned = bench.study.learned
    assert learned is not None, "the study needs a learned ranking"
    return prune(bench.model, bench.structure, bench.keep(learned.affine if ranking == "learned" else None, budget))


if __name__ == "__main__":
    main()
