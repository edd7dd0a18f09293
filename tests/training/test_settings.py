"""Settings of a training run: the rate of every step by hand, and what is refused."""

import math

import pytest

from legr.errors import SettingsError
from legr.training.settings import RECIPES, TrainSettings, closest_recipe, settings_of_recipe
from legr.training.supernet_settings import SupernetSettings


def test_the_rate_rises_evenly_and_falls_along_half_a_cosine() -> None:
    settings = TrainSettings(lr=0.4, warmup=0.2)
    assert [settings.rate(step, 10) for step in (0, 1, 2)] == pytest.approx([0.2, 0.4, 0.4])
    assert settings.rate(6, 10) == pytest.approx(0.2)  # half of the eight steps that are left
    assert settings.rate(9, 10) == pytest.approx(0.2 * (1 + math.cos(math.pi * 7 / 8)))


def test_steps_are_those_of_the_paper() -> None:
    settings = RECIPES["paper"]
    assert (settings.epochs, settings.lr) == (60, 0.01)
    expected = {0: 0.01, 9: 0.01, 29: 0.01, 30: 0.002, 59: 0.002, 60: 0.0004, 79: 0.0004, 80: 0.00008}
    assert {step: settings.rate(step, 100) for step in expected} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"epochs": 0}, r"epochs must be in \[1, 10000\], got 0"),
        ({"batch": 1}, r"batch must be in \[2, 65536\], got 1"),
        ({"lr": 0.0}, r"lr must be in \(0, 1000\]"),
        ({"lr": math.nan}, r"lr must be in \(0, 1000\]"),
        ({"lr": math.inf}, r"lr must be in \(0, 1000\]"),
        ({"decay": "never"}, "decay must be cosine or steps"),
        ({"smoothing": 1.0}, "smoothing"),
        ({"average": -0.1}, "average"),
        ({"warmup": math.nan}, "warmup"),
        ({"teacher_weight": 1.1}, "teacher_weight"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": math.inf}, "temperature"),
        ({"weight_decay": math.inf}, "weight_decay"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"clip": -1.0}, "clip"),
        ({"weight_decay": math.nan}, "weight_decay"),
        ({"restart_norms": 2}, r"restart_norms must be in \[0, 1\], got 2"),
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        TrainSettings(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"epochs": 4},
        {"seed": 3, "lr": 1 / 30},
        {"batch": 64, "average": 0.99, "smoothing": 0.1},
        {"clip": 1.0},
        {"restart_norms": 1},
    ],
)
@pytest.mark.parametrize("distill", [True, False])
def test_a_recipe_with_changes_gives_the_settings_it_was_made_of(
    recipe: str, changes: dict[str, object], distill: bool
) -> None:
    settings = settings_of_recipe(recipe, {**changes, "distill": distill})
    assert settings_of_recipe(*closest_recipe(settings)) == settings


def test_a_recipe_as_it_stands_needs_nothing_but_its_name() -> None:
    for name, settings in RECIPES.items():
        assert closest_recipe(settings) == (name, {})


def test_of_recipes_that_differ_as_much_one_that_differs_in_epochs_is_meant() -> None:
    assert closest_recipe(settings_of_recipe("polish", {"epochs": 3})) == ("polish", {"epochs": 3})
    assert closest_recipe(settings_of_recipe("quick", {"epochs": 1})) == ("quick", {"epochs": 1})
    assert closest_recipe(TrainSettings(epochs=1, batch=100))[0] == "quick"


def test_long_decays_as_published_runs_that_end_above_their_dense_network() -> None:
    long = RECIPES["long"]
    assert (long.epochs, long.lr * long.weight_decay) == (200, pytest.approx(5e-5))
    steps = 200 * 352  # CIFAR-10 in batches of 128
    rates = [long.rate(step, steps) for step in range(steps)]
    assert rates.index(max(rates)) + 1 == 5 * 352  # epochs of warm-up


def test_settings_that_came_later_are_not_said_where_they_are_not_used() -> None:
    """So the keys of runs stay as they were: a digest of these data is in their names."""
    assert TrainSettings().to_dict().keys() == {
        *("epochs", "lr", "decay", "warmup", "momentum", "weight_decay", "batch", "distill", "temperature"),
        *("teacher_weight", "smoothing", "average", "clip", "seed"),
    }
    assert TrainSettings(restart_norms=1).to_dict()["restart_norms"] == 1
    assert "restart_norms" not in SupernetSettings().to_dict() and "weights" in SupernetSettings(weights=0).to_dict()
