"""Following the gradient: towards what the loss wants, at equal MACs, to the same end however interrupted."""

from pathlib import Path

import numpy as np
import pytest

import legr
from legr.ranking.budget import BudgetCurve
from legr.ranking.types import Affine, FloatArray
from legr.search.budgets import BudgetRange, ListedBudgets
from legr.search.gradient import GradientLearner, GradientSettings
from legr.search.pricing import Pricing
from legr.search.types import Proposal
from legr.structure.cost import unit_macs
from legr.structure.types import BoolArray, Keep
from legr.study.store import Study
from tests.search.candidates import candidate


@pytest.fixture
def study(made_study: Path) -> Study:
    return Study.open(made_study)


class Probe:
    """Says that units of one layer are worth much; remembers what it was asked."""

    def __init__(self, study: Study, layer: str, worth: float = -1.0) -> None:
        labels = next(layer_.labels for layer_ in study.structure.layers if layer_.name == layer)
        self.slopes = np.zeros(study.structure.n_units)
        self.slopes[labels[labels > 0] - 1] = worth
        self.asked: list[BoolArray] = []

    def __call__(self, units: BoolArray, rng: np.random.Generator) -> FloatArray:
        self.asked.append(units)
        return self.slopes + 1e-3 * rng.normal(size=len(units))


def learner(study: Study, probe: Probe, *, whole_range: bool = False, **options: float) -> GradientLearner:
    budgets = BudgetRange(0.2, 0.8, seed=0) if whole_range else ListedBudgets((0.4,))
    settings = GradientSettings(**{"images": 2, "stride": 5, **options})  # type: ignore[arg-type]
    return GradientLearner(Pricing(study.ranker), probe, budgets=budgets, seed=0, settings=settings)


def after(learned: GradientLearner, n_layers: int, proposals: int) -> Proposal:
    proposal = Proposal(Affine.identity(n_layers))
    for _ in range(proposals):
        proposal = learned.propose([candidate(proposal, 0.0)])
    return proposal


@pytest.mark.parametrize("layer", ["layer1.0.conv1", "layer3.0.conv1"])
def test_a_layer_that_the_loss_wants_keeps_more(study: Study, layer: str) -> None:
    structure = study.structure
    number = [layer_.name for layer_ in structure.layers].index(layer)
    found = {}
    for worth in (-1.0, 1.0):
        proposal = after(learner(study, Probe(study, layer, worth)), len(structure.layers), 6)
        keep = _curve(study, proposal.affine).at(macs=0.4)
        found[worth] = keep.kept(structure.layers[number].labels).sum()
    plain = study.curve("identity").at(macs=0.4).kept(structure.layers[number].labels).sum()
    assert found[1.0] < plain < found[-1.0] or found[1.0] < found[-1.0] == len(structure.layers[number].labels)


def test_networks_are_probed_at_the_budgets_asked_for(study: Study) -> None:
    probe = Probe(study, "layer1.0.conv1")
    after(learner(study, probe), len(study.structure.layers), 2)
    original = study.curve("identity").original.macs
    assert all(0.35 < legr.cost(study.structure, Keep(units)).macs / original <= 0.4 for units in probe.asked)
    ranged = Probe(study, "layer1.0.conv1")
    after(learner(study, ranged, whole_range=True), len(study.structure.layers), 4)
    shares = sorted(legr.cost(study.structure, Keep(units)).macs / original for units in ranged.asked)
    assert 0.15 < shares[0] < 0.3 and 0.7 < shares[-1] <= 0.8
    assert max(np.diff(shares)) < 0.12  # evenly over the range


def test_it_goes_on_from_what_a_proposal_carries(study: Study) -> None:
    n_layers = len(study.structure.layers)
    whole = after(learner(study, Probe(study, "layer2.0.conv1"), whole_range=True), n_layers, 4)
    half = after(learner(study, Probe(study, "layer2.0.conv1"), whole_range=True), n_layers, 2)
    on = learner(study, Probe(study, "layer2.0.conv1"), whole_range=True)
    for _ in range(2):
        half = on.propose([candidate(half, 0.0)])
    assert np.array_equal(half.affine.alpha, whole.affine.alpha)
    assert np.array_equal(half.affine.kappa, whole.affine.kappa)
    assert half.state == whole.state


def test_a_loss_that_wants_cheap_networks_moves_nothing(study: Study) -> None:
    """Slopes that are the MACs of the units say nothing at equal MACs."""

    class Price(Probe):
        def __call__(self, units: BoolArray, rng: np.random.Generator) -> FloatArray:
            return unit_macs(study.structure, Keep(units))

    learned = learner(study, Price(study, "layer1.0.conv1"))
    proposal = after(learned, len(study.structure.layers), 1)
    assert np.abs(np.array(proposal.state["point"])).max() < 0.5 * 5 * GradientSettings().rate


def _curve(study: Study, affine: Affine) -> BudgetCurve:
    return BudgetCurve(study.structure, study.ranker.rank(affine))


def test_units_that_cannot_leave_pull_nothing(study: Study) -> None:
    """Their slopes may be anything: the way is the same."""
    order = study.curve("identity").ranking.order
    held = np.setdiff1d(np.arange(study.structure.n_units), order)
    assert len(held)
    loud = Probe(study, "layer1.0.conv1")
    quiet = Probe(study, "layer1.0.conv1")
    loud.slopes[held] = 1e6
    quiet.slopes[held] = 0
    n_layers = len(study.structure.layers)
    a, b = (after(learner(study, probe), n_layers, 1).affine for probe in (loud, quiet))
    assert np.allclose(a.alpha, b.alpha)


def test_a_map_never_strays_out_of_numbers(study: Study) -> None:
    found = after(learner(study, Probe(study, "layer1.0.conv1"), rate=1.0), len(study.structure.layers), 12)
    assert np.abs(np.array(found.state["point"])).max() <= 20
    assert np.isfinite(found.affine.alpha).all() and (found.affine.alpha > 0).all()


def test_the_search_ends_when_kept_sets_stand_still(study: Study) -> None:
    """Each of three proposals keeps much the same as the one three before; measured here by hand."""
    n_layers = len(study.structure.layers)

    def proposals(**options: float) -> list[Proposal]:
        learned = learner(study, Probe(study, "layer1.0.conv1"), **options)
        found = [Proposal(Affine.identity(n_layers))]
        while len(found) < 12 and not found[-1].settled:
            found.append(learned.propose([candidate(proposal, 0.0) for proposal in found]))
        return found

    def likeness(a: Proposal, b: Proposal) -> float:
        one, other = (
            BudgetCurve(study.structure, study.ranker.rank(p.affine)).at(macs=0.4).units.astype(float) for p in (a, b)
        )
        return float(one @ other / np.sqrt(one.sum() * other.sum()))

    full = proposals(still=1.5)
    assert len(full) == 12
    assert not full[-1].settled
    measured = [likeness(full[i], full[i - 3]) for i in range(3, 12)]
    for still in (0.5, sorted(measured)[4], 1.0):
        some = proposals(still=still)
        ends = [i + 3 for i in range(2, 9) if min(measured[i - 2 : i + 1]) >= still]
        assert len(some) == (ends[0] + 1 if ends else 12)
        assert some[-1].settled == bool(ends)


def test_a_budget_below_the_floor_of_a_ranking_means_its_floor(study: Study) -> None:
    """A search refuses budgets below the identity's floor; that of another ranking may lie higher."""
    probe = Probe(study, "layer1.0.conv1")
    settings = GradientSettings(images=2, stride=1)
    lowest = GradientLearner(Pricing(study.ranker), probe, budgets=ListedBudgets((1e-6,)), seed=0, settings=settings)
    after(lowest, len(study.structure.layers), 1)
    assert np.array_equal(probe.asked[0], study.curve("identity").keep(-1).units)


def test_it_begins_at_a_map(study: Study) -> None:
    rng, n_layers = np.random.default_rng(0), len(study.structure.layers)
    affine = Affine(rng.uniform(0.5, 2, n_layers), rng.normal(size=n_layers))
    still = learner(study, lambda units, _: np.zeros(len(units)), stride=1)
    found = still.advance(still.start(affine)).affine
    np.testing.assert_allclose(found.alpha, affine.alpha)
    np.testing.assert_allclose(found.kappa, affine.kappa, atol=1e-9)
