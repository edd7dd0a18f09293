"""How the released LeGR code scores a candidate, written anew: to be timed beside this project's way.

For every candidate the network is read from disk, filters leave one by one with the MACs counted from scratch each
time, the network trains `steps` steps, and the held-out images pass through PIL and the transforms once more:
float32, channels first, with the batch-norm statistics of the unpruned network. Coupled filters leave together, as
its residual pruner has it. For the CIFAR ResNets alone, as there is one pruner an architecture.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.studies import Bench
from legr.data.images import Split
from legr.models.zoo import build_model
from legr.ranking.types import Affine
from legr.structure.surgery import prune
from legr.structure.types import Keep

BATCH = 128


class ReleasedWay:
    """Scores candidates of one study at one budget.

    Args:
        images: held-out images that a candidate is scored on.
        folder: where the network's file lies.
    """

    def __init__(self, bench: Bench, budget: float, images: int, folder: Path) -> None:
        self._bench, self._budget = bench, budget
        self._file = folder / "original.safetensors"
        save_file(bench.model.state_dict(), self._file)
        normalize = transforms.Normalize(bench.normalization.mean, bench.normalization.std)
        plain = transforms.Compose([transforms.ToTensor(), normalize])
        augmented = transforms.Compose([transforms.RandomCrop(32, 4), transforms.RandomHorizontalFlip(), plain])
        order = torch.randperm(len(bench.dataset.heldout), generator=torch.Generator().manual_seed(0))[:images]
        self._heldout = DataLoader(_Pictures(bench.dataset.heldout, order, plain), BATCH)
        everything = torch.arange(len(bench.dataset.train))
        self._train = DataLoader(_Pictures(bench.dataset.train, everything, augmented), BATCH, shuffle=True)
        structure = bench.structure
        self._layers = [
            (op.macs, self._axis(op.parameter, op.out_dim), self._axis(op.parameter, op.in_dim))
            for op in structure.ops
            if op.parameter is not None
        ]
        counts = [np.bincount(vector, minlength=structure.n_units + 1)[1:] for vector in structure.vectors]
        self._stands_in = [
            [(number, int(count[unit])) for number, count in enumerate(counts) if count[unit]]
            for unit in range(structure.n_units)
        ]

    def __call__(self, affine: Affine, steps: int) -> float:
        """Loss of the network that a map leaves."""
        model = build_model(self._bench.study.info.model, num_classes=self._bench.study.info.num_classes)
        model.load_state_dict(load_file(self._file))
        network = prune(model, self._bench.structure, self._plan(affine))
        if steps:
            self._steps(network, steps)
        return self._loss(network.eval())

    def _axis(self, parameter: str, dim: int) -> tuple[int | None, int]:
        """The label vector of an axis, or its size where it is never cut."""
        structure = self._bench.structure
        axis = structure.axis_of.get((parameter, dim))
        return (structure.vector_index[axis.labels.tobytes()] if axis else None), structure.shapes[parameter][dim]

    def _plan(self, affine: Affine) -> Keep:
        """Remove the least important filters one by one until the MACs, counted anew each time, fit the budget."""
        structure = self._bench.structure
        widths = [len(vector) for vector in structure.vectors]
        kept = np.ones(structure.n_units, dtype=bool)
        target = self._budget * self._macs(widths)
        for unit in self._bench.study.ranker.rank(affine).order:
            if self._macs(widths) <= target:
                break
            kept[unit] = False
            for vector, channels in self._stands_in[unit]:
                widths[vector] -= channels
        return Keep(kept)

    def _macs(self, widths: list[int]) -> int:
        """Multiply-adds of all layers, from scratch."""
        return sum(
            macs * self._width(widths, outputs) * self._width(widths, inputs) for macs, outputs, inputs in self._layers
        )

    @staticmethod
    def _width(widths: list[int], axis: tuple[int | None, int]) -> int:
        vector, size = axis
        return size if vector is None else widths[vector]

    def _steps(self, network: nn.Module, steps: int) -> None:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
        network.train()
        for _, (inputs, labels) in zip(range(steps), self._train, strict=False):
            optimizer.zero_grad()
            F.cross_entropy(network(inputs), labels).backward()
            optimizer.step()

    def _loss(self, network: nn.Module) -> float:
        total, images = 0.0, 0
        with torch.no_grad():
            for inputs, labels in self._heldout:
                total += float(F.cross_entropy(network(inputs), labels, reduction="sum"))
                images += len(labels)
        return total / images


class _Pictures(Dataset[tuple[Tensor, int]]):
    """Images that are made pictures and tensors each time they are asked for."""

    def __init__(self, split: Split, order: Tensor, transform: transforms.Compose) -> None:
        self._images = split.images[order].permute(0, 2, 3, 1).contiguous().numpy()
        self._labels, self._transform = split.labels[order].tolist(), transform

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        return self._transform(Image.fromarray(self._images[number])), self._labels[number]
