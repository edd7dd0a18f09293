"""Switching units off by numbers is removing them, and slopes are those of the loss."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import legr
from legr.commands.images import images_of
from legr.commands.original import original
from legr.models.zoo import build_model, find_spec
from legr.ranking.types import Affine
from legr.search.budgets import BudgetRange
from legr.search.gradient import GradientLearner, GradientSettings
from legr.search.mask_gradient import MaskedNetwork, TrainingProbe
from legr.search.pricing import Pricing
from legr.search.types import Proposal
from legr.structure.copies import at_least_one
from legr.structure.cost import unit_macs
from legr.structure.types import Keep
from legr.study.store import Study
from tests import nets
from tests.search.candidates import candidate

CASES = (nets.Chain, nets.Residual, nets.PaddedShortcut, nets.DepthwiseConcat, nets.Sliced, nets.Shared)


def small(kind: type[nn.Module]) -> tuple[nn.Module, torch.Tensor]:
    return nets.make(kind).double(), nets.example().double()


def library(name: str) -> tuple[nn.Module, torch.Tensor]:
    spec = find_spec(name)
    return build_model(spec, 10).double().eval(), torch.zeros(1, 3, 32, 32, dtype=torch.float64)


def units_of(structure: legr.Structure, seed: int = 0) -> np.ndarray:
    return at_least_one(structure, np.random.default_rng(seed).random(structure.n_units) < 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("case", [*CASES, "cifar_resnet20", "mobilenet_v3_small", "shufflenet_v2_x0_5"])
def test_masked_is_removed(case: type[nn.Module] | str) -> None:
    model, image = library(case) if isinstance(case, str) else small(case)
    structure = legr.trace(model, image)
    inputs = torch.randn(2, *image.shape[1:], dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    units = units_of(structure)
    with torch.no_grad():
        expected = legr.prune(model, structure, Keep(units))(inputs).float()
        found = MaskedNetwork(model, structure)(torch.from_numpy(units.astype(np.float64)), inputs)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [nets.Residual, nets.DepthwiseConcat])
def test_slopes_are_those_of_the_loss(kind: type[nn.Module]) -> None:
    model, image = small(kind)
    structure = legr.trace(model, image)
    inputs = torch.randn(4, *image.shape[1:], dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    units = units_of(structure)
    masked = MaskedNetwork(model, structure)

    def loss_of(logits: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(logits, torch.tensor([0, 1, 0, 1]))

    switches = torch.from_numpy(units.astype(np.float64)).requires_grad_()
    (gradient,) = torch.autograd.grad(loss_of(masked(switches, inputs)), switches)
    slopes = gradient.numpy()
    assert np.abs(slopes[~units]).max() > 0  # a removed unit says what its return would change
    width = 1e-2  # logits come in float32
    for unit in range(structure.n_units):
        sides = []
        for sign in (-1, 1):
            mask = torch.from_numpy(units.astype(np.float64))
            mask[unit] += sign * width
            with torch.no_grad():
                sides.append(float(loss_of(masked(mask, inputs))))
        assert slopes[unit] == pytest.approx((sides[1] - sides[0]) / (2 * width), rel=0.02, abs=1e-4)


def test_macs_of_a_unit_are_what_it_adds() -> None:
    model, image = small(nets.Chain)
    structure = legr.trace(model, image)
    units = units_of(structure)
    slopes = unit_macs(structure, Keep(units))
    for unit in range(structure.n_units):
        on, off = units.copy(), units.copy()
        on[unit], off[unit] = True, False
        assert slopes[unit] == legr.cost(structure, Keep(on)).macs - legr.cost(structure, Keep(off)).macs


@pytest.fixture
def study(made_study: Path) -> Study:
    return Study.open(made_study)


def probe(study: Study, *, broken: bool = False) -> TrainingProbe:
    model, dataset, normalization = original(study), images_of(study), study.info.normalization
    if broken:
        with torch.no_grad():
            model.linear.bias.fill_(float("nan"))  # type: ignore[operator, union-attr]
    return TrainingProbe(model, study.structure, dataset.train, normalization, images=32, device=torch.device("cpu"))


def ask(found: TrainingProbe, study: Study, seed: int) -> np.ndarray:
    units = study.curve("identity").at(macs=0.5).units
    return found(units, np.random.default_rng(seed))


def test_the_same_question_has_the_same_answer(study: Study) -> None:
    asked = probe(study)
    first = ask(asked, study, 0)
    ask(asked, study, 1)
    assert np.array_equal(ask(asked, study, 0), first)
    assert not np.array_equal(ask(asked, study, 1), first)


def test_outputs_that_are_no_numbers_move_nothing(study: Study) -> None:
    assert not ask(probe(study, broken=True), study, 0).any()


def test_a_search_goes_on_alike(study: Study) -> None:
    def learner() -> GradientLearner:
        budgets, settings = BudgetRange(0.2, 0.8, seed=0), GradientSettings(images=32, stride=2)
        return GradientLearner(Pricing(study.ranker), probe(study), budgets=budgets, seed=0, settings=settings)

    def walk(on: GradientLearner, proposal: Proposal, proposals: int) -> Proposal:
        for _ in range(proposals):
            proposal = on.propose([candidate(proposal, 0.0)])
        return proposal

    start = Proposal(Affine.identity(len(study.structure.layers)))
    whole = walk(learner(), start, 4)
    found = walk(learner(), walk(learner(), start, 2), 2)
    assert np.array_equal(found.affine.alpha, whole.affine.alpha)
    assert found.state == whole.state
