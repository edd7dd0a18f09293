"""Learn a ranking again while the networks of its budgets are trained together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from legr.commands.learn import pricing_of
from legr.data.images import Dataset
from legr.errors import SettingsError, StudyError
from legr.files import write_json
from legr.ranking.budget import BudgetCurve
from legr.record import Record
from legr.schema import Real, Several
from legr.search.gradient import BETWEEN_EPOCHS, GradientLearner
from legr.search.mask_gradient import TrainingProbe
from legr.search.methods import Material, gradient_learner
from legr.structure.cost import cost, original_cost
from legr.structure.types import BoolArray, Keep
from legr.study.json_file import FORMAT, read_record
from legr.study.records import Learned, RankingName
from legr.study.store import Study
from legr.training.supernet import Supernet


@dataclass(frozen=True)
class _Order(Record):
    """The map of an epoch."""

    alpha: Several[Real]
    kappa: Several[Real]
    state: dict[str, Any]  # of the learner


@dataclass(frozen=True)
class _Orders(Record):
    """The maps of epochs 1, 2, and so on."""

    orders: Several[_Order] = ()


class Relearning:
    """The orders of a training that learns its ranking again before each epoch of the first half but the first.

    Every map goes on from the one before by gradient, on the supernet's weights at that moment. It is on disk before
    its epoch begins, so a run that is killed goes on with the same orders.

    Args:
        epochs: of the training.
        path: file of the maps; the caller removes it.

    Raises:
        SettingsError: the ranking was not learned.
    """

    def __init__(
        self, study: Study, ranking: RankingName, dataset: Dataset, device: torch.device, epochs: int, path: Path
    ) -> None:
        self._first = _learned_map(study, ranking)
        self._study, self._dataset, self._device = study, dataset, device
        self._constraints, self._pricing = study.constraints, pricing_of(study, self._first.settings)
        self._last, self._path = epochs // 2, path
        self._orders = read_record(path, _Orders).orders if path.exists() else ()

    def curve(self, epoch: int, supernet: Supernet) -> BudgetCurve:
        """The budget curve of an epoch, from 0.

        Raises:
            StudyError: the maps of earlier epochs are gone.
        """
        number = min(epoch, self._last)
        if number == len(self._orders) + 1:
            self._learn(supernet)
        if number > len(self._orders):
            raise StudyError(f"{self._path.name} is gone, and the training cannot go on; start another with --seed")
        return self._curve(self._map(number))

    @property
    def learned(self) -> Learned:
        """The map that it has come to."""
        return self._map(len(self._orders))

    def final_curve(self) -> BudgetCurve:
        """The budget curve of that map."""
        return self._curve(self.learned)

    def _curve(self, learned: Learned) -> BudgetCurve:
        return BudgetCurve(self._study.structure, self._study.ranker.rank(learned.affine, self._constraints))

    def _map(self, number: int) -> Learned:
        """The map after some times of learning."""
        if not number:
            return self._first
        order = self._orders[number - 1]
        return replace(self._first, alpha=order.alpha, kappa=order.kappa)

    def _learn(self, supernet: Supernet) -> None:
        learner = self._learner(supernet)
        state: Mapping[str, Any] = self._orders[-1].state if self._orders else learner.start(self._first.affine)
        proposal = learner.advance(state, BETWEEN_EPOCHS)
        alpha, kappa = proposal.affine.alpha.tolist(), proposal.affine.kappa.tolist()
        self._orders = (*self._orders, _Order(tuple(alpha), tuple(kappa), dict(proposal.state)))
        write_json(self._path, {"format": FORMAT, **_Orders(self._orders).to_dict()})

    def _learner(self, supernet: Supernet) -> GradientLearner:
        study, settings = self._study, replace(self._first.settings, method="gradient", options={})
        structure, whole = study.structure, original_cost(study.structure).macs

        def parameters_for(units: BoolArray) -> dict[str, Tensor]:
            found = supernet.parameters_at(cost(structure, Keep(units)).macs / whole)
            return {name: values.detach() for name, values in found.items()}

        def probe(images: int) -> TrainingProbe:
            return TrainingProbe(
                supernet.network,
                structure,
                self._dataset.train,
                study.info.normalization,
                images=images,
                device=self._device,
                parameters_for=parameters_for,
            )

        return gradient_learner(Material(self._pricing, settings, probe))


def _learned_map(study: Study, ranking: RankingName) -> Learned:
    learned = study.map_of(ranking)
    if learned is None:
        raise SettingsError(
            f"a ranking that was learned can be learned again, and {ranking} was not; name another with --ranking, or "
            "learn one with `python -m legr learn`"
        )
    return learned
