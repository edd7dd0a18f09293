"""Measure networks of a supernet on the test images, each with batch norms recalibrated for itself."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from legr.commands.heights import macs_of
from legr.data.images import Dataset
from legr.data.normalization import Normalization
from legr.progress import Progress, Report
from legr.ranking.budget import BudgetCurve
from legr.structure.cost import cost, original_cost
from legr.structure.types import Keep
from legr.study.store import keep_id
from legr.study.supernets import SupernetPoint, statistics_name
from legr.training.batch_norm import recalibrated, statistics_of
from legr.training.calibration import Calibration
from legr.training.evaluate import evaluate_split
from legr.training.supernet import Supernet

MEASURED = 16  # budgets, evenly spread on a logarithmic scale of MACs
BETWEEN = 8  # networks between them, which say how well others are read off the line


@dataclass(frozen=True)
class Judge:
    """What judges networks of a supernet.

    Attributes:
        curve: of the ranking that the supernet follows.
        calibration: images on which batch norms are recalibrated.
    """

    curve: BudgetCurve
    dataset: Dataset
    normalization: Normalization
    calibration: Calibration
    device: torch.device

    @property
    def side(self) -> int:
        """Height of the images."""
        return int(self.dataset.test.images.shape[-2])

    def network(self, supernet: Supernet, keep: Keep) -> nn.Module:
        """The network of a kept set, recalibrated."""
        return recalibrated(
            supernet.pruned(self.curve.structure, keep),
            self.dataset,
            self.normalization,
            device=self.device,
            calibration=self.calibration,
        )

    def point(self, network: nn.Module, keep: Keep, *, heldout: bool = False) -> SupernetPoint:
        """Score what `network` returned on the test images.

        Args:
            heldout: on the held-out images as well.
        """
        structure = self.curve.structure
        size = cost(structure, keep)
        test = evaluate_split(network, self.dataset.test, self.normalization, device=self.device)
        other = (
            evaluate_split(network, self.dataset.heldout, self.normalization, device=self.device) if heldout else None
        )
        return SupernetPoint(
            keep_id=keep_id(keep),
            macs=macs_of(network, structure, size, tuple(self.dataset.test.images.shape[1:])),
            params=size.params,
            macs_fraction=size.macs / original_cost(structure).macs,
            side=self.side,
            top1=test.top1,
            loss=test.finite_loss,
            images=test.images,
            heldout_top1=other.top1 if other else None,
        )


def keeps_along(curve: BudgetCurve, smallest: float, budgets: int) -> Iterator[Keep]:
    """Networks from the whole one to the smallest, evenly spread on a logarithmic scale of MACs; each once."""
    fractions = np.geomspace(1.0, smallest, budgets).clip(smallest, 1.0).tolist()
    for step in dict.fromkeys(curve.step(macs=max(fraction, curve.floor)) for fraction in fractions):
        yield curve.keep(step)


def keeps_between(curve: BudgetCurve, smallest: float, measured: Iterable[Keep], seed: int) -> Iterator[Keep]:
    """Networks of random budgets that are none of those measured, one of each part of the logarithmic scale of MACs.

    Args:
        measured: kept sets of the others.
    """
    rng, seen = np.random.default_rng(seed), {keep_id(keep) for keep in measured}
    places = (np.arange(BETWEEN) + rng.uniform(size=BETWEEN)) / BETWEEN
    for fraction in (smallest**places).clip(smallest, 1.0).tolist():
        keep = curve.at(macs=max(fraction, curve.floor))
        if keep_id(keep) not in seen:
            seen.add(keep_id(keep))
            yield keep


@dataclass(frozen=True)
class Measured:
    """Networks of a supernet on the test images.

    Attributes:
        points: evenly spread along the ranking; those with inputs of the own height before others.
        between: networks of random budgets between them, with inputs of the own height.
        statistics: of the networks of the points, by `statistics_name`.
    """

    points: tuple[SupernetPoint, ...]
    between: tuple[SupernetPoint, ...]
    statistics: dict[str, Tensor]


def measure_along(supernet: Supernet, judge: Judge, sides: tuple[int, ...], report: Report, *, seed: int) -> Measured:
    """Measure networks along the ranking, and some between them.

    Args:
        sides: heights of the inputs, each measured for every network of the points; the own one is the first.
        seed: of the budgets between them.
    """
    judges = [replace(judge, dataset=judge.dataset.at_height(side)) for side in sides]
    along = list(keeps_along(judge.curve, supernet.smallest, MEASURED))
    others = list(keeps_between(judge.curve, supernet.smallest, along, seed))
    todo = [(keep, one) for one in judges for keep in along]
    first = len(todo)  # of the others
    todo += [(keep, judges[0]) for keep in others]
    points, statistics, start = [], {}, time.monotonic()
    for number, (keep, one) in enumerate(todo, 1):
        network = one.network(supernet, keep)
        points.append(one.point(network, keep, heldout=number <= len(along)))
        if number <= first:
            for name, values in statistics_of(network).items():
                statistics[statistics_name(keep_id(keep), one.side, name)] = values
        left = (time.monotonic() - start) / number * (len(todo) - number)
        report(Progress("network", number, len(todo), left))
    return Measured(tuple(points[:first]), tuple(points[first:]), statistics)
