"""Blocks that leave whole along a ranking, worked out by hand."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import pytest

import legr
from legr.errors import SettingsError
from legr.ranking.constraints import Constraints
from legr.ranking.order import Ranker
from legr.schema import SchemaError
from legr.structure.branches import emptied_branches
from legr.structure.counters import count
from legr.structure.types import Structure
from tests.nets import example
from tests.structure.test_branches import made

CONSTRAINED = {"blocks": True}


@pytest.fixture(scope="module")
def plain() -> Structure:
    """Three blocks with an inner layer of 4 channels each, of which 2 always stay, and streams of 8 and 10."""
    return legr.trace(made("plain"), example())


@pytest.fixture(scope="module")
def inverted() -> Structure:
    """Two blocks with inner layers of 6 and 3 channels, of which 2 always stay, and a stream of 8."""
    return legr.trace(made("inverted"), example())


def units_of(structure: Structure, layer: str) -> list[int]:
    return [int(label) - 1 for x in structure.layers if x.name == layer for label in x.labels]


def ranked(structure: Structure, scores: np.ndarray, **constraints: object) -> legr.Ranking:
    norms = legr.Norms(tuple(np.ones(layer.total) for layer in structure.layers))
    return Ranker(structure, norms).rank_by(scores, Constraints(**constraints))  # type: ignore[arg-type]


def steps(ranking: legr.Ranking) -> list[list[int]]:
    """What goes at once, and the units of each step."""
    return [units.tolist() for units in np.split(ranking.order, ranking.ends[:-1])]


def rising(structure: Structure, layers: Sequence[str]) -> np.ndarray:
    """Scores that rise from layer to layer, and in each with the number of the channel; of all others far higher."""
    scores = 1000.0 + np.arange(structure.n_units)
    for number, layer in enumerate(layers):
        scores[units_of(structure, layer)] = 10 * number + np.arange(len(units_of(structure, layer)))
    return scores


INNER = [f"blocks.{number}.conv1" for number in range(3)]


def test_the_last_step_of_a_block_takes_what_floors_keep(plain: Structure) -> None:
    scores = rising(plain, INNER)
    first = [units_of(plain, layer) for layer in INNER]
    without = steps(ranked(plain, scores))
    assert without[:7] == [[], *([unit] for units in first for unit in units[:2])]
    whole = steps(ranked(plain, scores, **CONSTRAINED))
    expected = [step for units in first for step in ([units[0]], [units[1]], units[2:])]
    assert whole[:10] == [[], *expected]
    assert whole[10:] == without[7:]  # the streams have floors


def test_the_last_step_comes_after_all_others_of_its_block(inverted: Structure) -> None:
    wide, narrow = (units_of(inverted, f"blocks.0.block.{name}") for name in ("0", "3.fc1"))
    scores = 1000.0 + np.arange(inverted.n_units)
    scores[wide], scores[narrow] = np.arange(6), 500 + np.arange(3)
    # 4 and 5 of the wide layer and 501 and 502 of the narrow one: their mean 253 has its turn before the step of 500
    assert steps(ranked(inverted, scores, **CONSTRAINED))[:7] == [
        *([], [wide[0]], [wide[1]], [wide[2]], [wide[3]], [narrow[0]]),
        [wide[4], wide[5], narrow[1], narrow[2]],
    ]


def test_blocks_are_kept_or_removed_as_asked(plain: Structure) -> None:
    scores = rising(plain, INNER)
    first, second, third = (units_of(plain, layer) for layer in INNER)
    ranking = ranked(plain, scores, blocks=True, kept_blocks=("blocks.0",), removed_blocks=("blocks.1",))
    assert steps(ranking)[:6] == [second, [first[0]], [first[1]], [third[0]], [third[1]], third[2:]]
    curve = legr.BudgetCurve(plain, ranking)
    assert [branch.name for branch in emptied_branches(plain, curve.keep(0))] == ["blocks.1"]
    assert [branch.name for branch in emptied_branches(plain, curve.keep(-1))] == ["blocks.1", "blocks.2"]
    alone = ranked(plain, scores, removed_blocks=("blocks.1",))  # without any other block that may leave
    assert steps(alone)[:5] == [second, [first[0]], [first[1]], [third[0]], [third[1]]]
    for fixed in ({"pins": {"blocks.1.conv1": 3}}, {"excluded": ("blocks.1.conv1",)}):
        left = legr.BudgetCurve(plain, ranked(plain, scores, blocks=True, **fixed)).keep(-1)
        assert [branch.name for branch in emptied_branches(plain, left)] == ["blocks.0", "blocks.2"]
        with pytest.raises(SettingsError, match=r"the block blocks\.1 cannot be removed, because its layer"):
            ranked(plain, scores, removed_blocks=("blocks.1",), **fixed)


@pytest.mark.parametrize("multiple", [1, 4])
def test_costs_along_the_way_are_counted_ones_and_multiples_hold(multiple: int) -> None:
    network = made("plain")
    structure = legr.trace(network, example())
    norms = legr.filter_norms(network, structure)
    constraints = Constraints(multiple, blocks=True)
    curve = legr.BudgetCurve(structure, legr.rank(structure, norms, constraints=constraints))
    assert (np.diff(curve.macs) <= 0).all() and (np.diff(curve.params) < 0).all()
    emptied = 0
    for step in range(len(curve.macs)):
        keep = curve.keep(step)
        now = len(emptied_branches(structure, keep))
        if now > emptied:
            counted = count(legr.prune(network, structure, keep), example())
            assert (counted.macs, counted.params) == (curve.macs[step], curve.params[step])
            assert counted.activation == curve.activation[step]
        emptied = now
    assert emptied == 3
    totals = np.array([[layer.total] for layer in structure.layers])
    assert ((curve.kept % multiple == 0) | (curve.kept == totals)).all()
    smaller, larger = curve.at(macs=curve.floor), curve.at(macs=0.5)
    assert not (smaller.units & ~larger.units).any()


def test_what_was_stored_keeps_its_name() -> None:
    facts = {"multiple": 8, "floors": {}, "excluded": ["conv1"], "pins": {}}
    constraints = Constraints(8, excluded=("conv1",))
    assert constraints.to_dict() == facts and Constraints.from_dict(facts) == constraints
    assert constraints.key == hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
    whole = Constraints(blocks=True, kept_blocks=("a",), removed_blocks=("c", "b", "b"))
    assert Constraints.from_dict(whole.to_dict()) == whole and whole.key and whole.removed_blocks == ("b", "c")
    assert whole.words == "whole blocks may leave; a stays; b, c removed"
    with pytest.raises(SchemaError):
        Constraints.from_dict({**facts, "blocks": 1})


def test_blocks_that_are_not_there_are_refused(plain: Structure) -> None:
    scores = np.arange(plain.n_units, dtype=np.float64)
    with pytest.raises(SettingsError, match=r"no block 'blocks\.7' that can leave; did you mean blocks\."):
        ranked(plain, scores, removed_blocks=("blocks.7",))
    with pytest.raises(SettingsError, match="the block blocks cannot be both kept and removed"):
        Constraints(kept_blocks=("blocks",), removed_blocks=("blocks",))
    from tests.nets import Chain, make

    chain = legr.trace(make(Chain), example())
    with pytest.raises(SettingsError, match="no block of this network is known to leave whole"):
        ranked(chain, np.arange(chain.n_units, dtype=np.float64), blocks=True)
