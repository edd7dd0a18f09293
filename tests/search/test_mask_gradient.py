"""Switching units off by numbers is removing them, and slopes are those of the loss."""

import copy
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
from legr.ranking.order import Ranker
from legr.ranking.types import Affine
from legr.search.budgets import BudgetRange
from legr.search.gradient import GradientLearner, GradientSettings
from legr.search.mask_gradient import MaskedNetwork, TrainingProbe
from legr.search.pricing import Pricing
from legr.search.types import Proposal
from legr.structure.branches import emptied_branches, without
from legr.structure.copies import at_least_one
from legr.structure.cost import unit_macs
from legr.structure.types import Keep
from legr.study.store import Study
from tests import nets
from tests.search.candidates import candidate
from tests.structure.test_branches import made

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


@pytest.mark.parametrize("kind", ["plain", "inverted"])
def test_a_block_without_units_adds_nothing_and_its_units_share_the_slope_of_its_return(kind: str) -> None:
    model, (image, inputs) = made(kind).double(), (nets.example().double(), torch.randn(4, 3, 8, 8).double())
    structure = legr.trace(model, image)
    branch, units = structure.branches[1], np.random.default_rng(0).random(structure.n_units) < 0.8
    keep = without(Keep(at_least_one(structure, units)), [branch])
    expected = legr.prune(model, structure, keep)(inputs).float()
    mask = torch.from_numpy(keep.units.astype(np.float64)).requires_grad_()
    found = MaskedNetwork(copy.deepcopy(model), structure)(mask, inputs)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6)
    (slopes,) = torch.autograd.grad(found.square().sum(), mask)
    # by hand: the network with the whole block, whose last layer's result is multiplied by a number that is 0
    restored, factor = keep.units.copy(), torch.zeros((), dtype=torch.float64, requires_grad=True)
    restored[branch.units] = True
    network = legr.prune(model, structure, Keep(restored))
    network.get_submodule(branch.removed[-1].module).register_forward_hook(lambda *given: given[2] * factor)
    (slope,) = torch.autograd.grad(network(inputs).square().sum(), factor)
    shares = slopes[torch.from_numpy(branch.units.astype(np.int64))].numpy()
    np.testing.assert_allclose(shares, float(slope) / len(branch.units), rtol=1e-4)


def test_the_units_of_a_block_that_has_left_share_its_price() -> None:
    model = made("scaled")
    structure = legr.trace(model, nets.example())
    pricing = Pricing(Ranker(structure, legr.filter_norms(model, structure)), blocks=True)
    keep = without(Keep(np.ones(structure.n_units, dtype=bool)), structure.branches[:1])
    prices = pricing.prices(keep)[structure.branches[0].units]
    # at each of 64 places a depthwise convolution of 8 x 49, and 8 -> 7 -> 8: for each of the 7 inner units
    np.testing.assert_allclose(prices, 64 * (392 + 56 + 56) / 7)
    assert [x.name for x in emptied_branches(structure, pricing.curve().keep(-1))] == ["blocks.0", "blocks.1"]


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


def test_a_probe_computes_with_the_parameters_of_the_kept_set(study: Study) -> None:
    dataset, normalization, asked = images_of(study), study.info.normalization, []
    other = original(study)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(1.1)

    def parameters_for(units: np.ndarray) -> dict[str, torch.Tensor]:
        asked.append(units)
        return dict(other.named_parameters())

    probes = [
        TrainingProbe(
            model, study.structure, dataset.train, normalization, images=32, device=torch.device("cpu"),
            parameters_for=given,
        )
        for model, given in ((original(study), parameters_for), (other, None))
    ]  # fmt: skip
    np.testing.assert_allclose(ask(probes[0], study, 0), ask(probes[1], study, 0), rtol=1e-5)
    assert len(asked) == 1 and np.array_equal(asked[0], study.curve("identity").at(macs=0.5).units)
