"""Find the structures of a network early: its ranking is learned between epochs until it stays alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from legr.data.images import Dataset
from legr.data.normalization import Normalization
from legr.files import write_json
from legr.ranking.norms import filter_norms
from legr.ranking.order import Ranker
from legr.ranking.types import Affine
from legr.record import Record
from legr.schema import Count, Real, Several
from legr.search.gradient import BETWEEN_EPOCHS
from legr.search.mask_gradient import TrainingProbe
from legr.search.methods import SCORED, Material, gradient_learner
from legr.search.pricing import Pricing
from legr.structure.types import Structure
from legr.study.json_file import FORMAT, read_record
from legr.study.kept_sets import packed, unpacked
from legr.study.records import SearchSettings

_IN_A_ROW = 2  # looks that must be alike


@dataclass(frozen=True)
class Look(Record):
    """The ranking of a network before an epoch.

    Attributes:
        similarity: cosine of the kept sets, over some budgets, and those of the look before; None for the first.
        kept: kept sets at these budgets, as `kept_sets.packed` writes them.
    """

    epoch: Count
    similarity: Real | None
    alpha: Several[Real]
    kappa: Several[Real]
    kept: Several[str]

    @property
    def affine(self) -> Affine:
        """The map."""
        return Affine.of(self.alpha, self.kappa)


@dataclass(frozen=True)
class _Looks(Record):
    looks: Several[Look] = ()


def read_looks(path: Path) -> tuple[Look, ...]:
    """The looks of a watch, by its file; none where that is missing."""
    return read_record(path, _Looks).looks if path.exists() else ()


class StructureWatch:
    """Learns the ranking of a network that is trained, and says when its structures stay alike.

    Every look goes on from the map before by gradient, with the norms of that moment. It is on disk before the epoch
    begins, so a run that is killed finds the same.

    Args:
        alike: cosine from which on two successive kept sets count as alike; three looks in a row must be.
        path: file of the looks; the caller removes it.
    """

    def __init__(
        self,
        structure: Structure,
        dataset: Dataset,
        normalization: Normalization,
        device: torch.device,
        *,
        alike: float,
        path: Path,
    ) -> None:
        self._structure, self._dataset, self._normalization = structure, dataset, normalization
        self._device, self._alike, self._path = device, alike, path
        self.looks: Sequence[Look] = read_looks(path)

    def stands(self, epoch: int, network: nn.Module) -> bool:
        """Whether the structures of a network stay alike, before an epoch; asked again, the answer is the same."""
        if not any(look.epoch == epoch for look in self.looks):
            self.looks = (*self.looks, self._look(epoch, network))
            write_json(self._path, {"format": FORMAT, **_Looks(tuple(self.looks)).to_dict()})
        seen = [look.similarity for look in self.looks if look.epoch <= epoch][-_IN_A_ROW:]
        return len(seen) == _IN_A_ROW and all(value is not None and value >= self._alike for value in seen)

    def _look(self, epoch: int, network: nn.Module) -> Look:
        pricing = Pricing(Ranker(self._structure, filter_norms(network, self._structure)))

        def probe(images: int) -> TrainingProbe:
            return TrainingProbe(
                network,
                self._structure,
                self._dataset.train,
                self._normalization,
                images=images,
                device=self._device,
            )

        learner = gradient_learner(Material(pricing, SearchSettings(), probe))
        last = self.looks[-1] if self.looks else None
        proposal = learner.advance(learner.start(last.affine) if last else {}, BETWEEN_EPOCHS)
        curve = pricing.curve(proposal.affine)
        keeps = [curve.at(macs=max(budget, curve.floor)) for budget in SCORED]
        units = np.concatenate([keep.units for keep in keeps]).astype(np.float64)
        similarity = None
        if last:
            former = np.concatenate([unpacked(text, self._structure.n_units).units for text in last.kept])
            similarity = float(units @ former / np.sqrt(units.sum() * former.sum()))
        return Look(
            epoch=epoch,
            similarity=similarity,
            alpha=tuple(proposal.affine.alpha.tolist()),
            kappa=tuple(proposal.affine.kappa.tolist()),
            kept=tuple(map(packed, keeps)),
        )
