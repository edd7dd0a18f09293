"""The card of a layer: what a browser is sent, and when."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from app.budget_dial.card import costs_of, kernels_of, layer_card, layer_names
from app.curves import stamp
from legr.ranking.constraints import Constraints
from legr.structure.cost import cost
from legr.study.catalog import SAMPLES
from legr.study.records import RankingName
from legr.study.store import Study
from tests.app.conftest import OpenApp
from tests.app.test_explore_page import dial


@pytest.fixture
def study(studies: Path) -> Study:
    return Study.open(studies / "demo")


@pytest.mark.parametrize("ranking", ["learned", "identity", "uniform"])
def test_filters_stand_in_the_order_in_which_the_networks_of_the_slider_lose_them(
    study: Study, ranking: RankingName
) -> None:
    curve = study.curve(ranking)
    for number, layer in enumerate(study.structure.layers):
        card = layer_card(str(study.path), ranking, stamp(study), layer.name)
        assert (card["layer"], card["ranking"]) == (layer.name, ranking)
        assert (card["alpha"] is None) == (ranking == "uniform")
        for budget in (1.0, 0.7, 0.4):
            kept = curve.at(macs=budget).kept(layer.labels)
            gone = layer.total - int(curve.kept[number, curve.step(macs=budget)])
            assert sorted(card["numbers"][:gone]) == np.flatnonzero(~kept).tolist()
        assert all(len(card[name]) == layer.total for name in ("norms", "own", "scores", "gone_below"))  # type: ignore[literal-required]


@pytest.fixture
def with_weights(tmp_path: Path) -> Study:
    return Study.open(shutil.copytree(SAMPLES / "digits-resnet20", tmp_path / "own"))


def test_the_first_layer_shows_its_filters_as_pictures_in_the_order_of_the_card(with_weights: Study) -> None:
    study = with_weights
    card = layer_card(str(study.path), "learned", stamp(study), "conv1")
    weight = load_file(study.weights_path)["conv1.weight"].astype(np.float32)
    kernels = card["kernels"]
    assert kernels and (kernels["height"], kernels["width"], len(kernels["pixels"])) == (3, 3, len(weight))
    for number, text in zip(card["numbers"], kernels["pixels"], strict=True):
        levels = np.frombuffer(bytes.fromhex(text), np.uint8).reshape(3, 3, 3).transpose(2, 0, 1) / 127.5 - 1
        own = weight[number] / np.abs(weight[number]).max()
        np.testing.assert_allclose(levels, own, atol=0.5 / 127 + 1e-6)
    assert layer_card(str(study.path), "learned", stamp(study), study.structure.layers[1].name)["kernels"] is None


def test_pictures_are_left_out_where_weights_cannot_be_read(with_weights: Study) -> None:
    study = with_weights
    layer = study.structure.layers[0]
    weights = load_file(study.weights_path)
    save_file({name: values for name, values in weights.items() if name != "conv1.weight"}, study.weights_path)
    assert kernels_of(study, layer, [0, 1]) is None
    study.weights_path.write_bytes(b"damaged")
    assert kernels_of(study, layer, [0, 1]) is None
    study.weights_path.unlink()
    assert kernels_of(study, layer, [0, 1]) is None


def test_a_chosen_layer_is_remembered_and_others_are_none(open_app: OpenApp) -> None:
    app = open_app("explore", study="demo", layer="layer2.0.conv1")
    assert dial(app)["view"]["layer"] == "layer2.0.conv1"
    app = open_app("explore", study="demo", layer="../../etc")
    assert dial(app)["view"]["layer"] == ""
    assert not app.exception


def test_a_pinned_filter_is_said_to_have_left(study: Study) -> None:
    name = layer_names(study)[1]
    study.save_constraints(Constraints(pins={name: 4}))
    card = layer_card(str(study.path), "learned", stamp(study), name)
    total = study.structure.layers[1].total
    assert card["gone_below"] == [None] * (total - 4) + [0.0] * 4


def test_other_numbers_of_filters_are_tried_around_that_of_the_network(study: Study) -> None:
    curve, layer = study.curve("learned"), study.structure.layers[2]
    keep = curve.at(macs=0.5)
    found = costs_of(study, "learned", layer.name, 50.0)
    own = int(keep.kept(layer.labels).sum())
    assert own in found["kept"] and found["kept"] == sorted(found["kept"]) and found["latency"] is None
    place = found["kept"].index(own)
    assert (found["macs"][place], found["params"][place]) == (
        cost(study.structure, keep).macs,
        cost(study.structure, keep).params,
    )
    study.save_constraints(Constraints(multiple=4))
    assert all(kept % 4 == 0 for kept in costs_of(study, "learned", layer.name, 50.0)["kept"])


def test_of_a_wide_layer_some_numbers_are_tried(study: Study) -> None:
    wide = max(study.structure.layers, key=lambda layer: layer.total)
    found = costs_of(study, "uniform", wide.name, 100.0)["kept"]
    assert wide.total > 48 and len(found) <= 50 and found[-1] == wide.total
