"""The methods of a search, those that earlier versions offered, and the budgets of the whole slider."""

from pathlib import Path
from typing import Any

import pytest

from legr.commands.learn import search_task
from legr.errors import SettingsError
from legr.requests.learn import LearnRequest
from legr.search.methods import METHODS, SCORED, is_offered, scored_budgets
from legr.study.records import EFFORTS, Learned, SearchSettings
from legr.study.store import Study


@pytest.mark.parametrize("floor", [0.02, 0.1, 0.3, 0.95, 0.99])
def test_scored_budgets_lie_above_the_floor(floor: float) -> None:
    budgets = scored_budgets(SearchSettings(), floor)
    assert len(set(budgets)) == len(SCORED)
    assert all(floor < budget < 1 for budget in budgets)
    if floor <= 0.1:
        assert budgets == SCORED


def test_budgets_that_are_asked_for_are_taken() -> None:
    assert scored_budgets(SearchSettings(budgets=(0.3, 0.7)), 0.5) == (0.3, 0.7)


def test_every_method_has_efforts() -> None:
    assert set(EFFORTS) == set(METHODS)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"method": "cma-es"}, "the method must be one of gradient, evolution, rl, got 'cma-es'"),
        ({"method": "tpe"}, "the method must be one of gradient, evolution, rl, got 'tpe'"),
        ({"method": "evolution", "options": {"climb": 1}}, "there is no option 'climb'"),
    ],
)
def test_a_study_learned_by_a_method_of_an_earlier_version(
    study_path: Path, settings: dict[str, Any], reason: str
) -> None:
    study = Study.open(study_path)
    layers = tuple(layer.name for layer in study.structure.layers)
    earlier = SearchSettings(**settings)
    study.save_learned(
        Learned(
            layers=layers,
            alpha=(1.5,) + (1.0,) * (len(layers) - 1),
            kappa=(0.0,) * len(layers),
            settings=earlier,
            candidates=1,
            best_candidate=0,
            identity_loss=1.0,
            best_loss=0.9,
            best_losses=(0.9,),
            passes_spent=(5.0,),
            seconds=1.0,
            heldout_seen=False,
        )
    )
    opened = Study.open(study_path)
    assert opened.learned is not None and opened.learned.alpha[0] == 1.5
    assert opened.curve("learned").at(macs=0.5).units.any()
    assert not is_offered(earlier) and is_offered(SearchSettings())
    with pytest.raises(SettingsError) as refusal:
        search_task(opened, LearnRequest())
    assert str(refusal.value).startswith("the ranking of digits8 was learned with settings that can no longer be")
    assert reason in str(refusal.value)
    assert str(refusal.value).endswith("learn a new one with --method gradient or evolution or rl")
    assert search_task(opened, LearnRequest(method="gradient")).settings == SearchSettings()
