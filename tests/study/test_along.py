"""Predictions along the slider: counted by hand, read back as stored, of today's networks alone, or one sentence."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from legr.errors import StudyError
from legr.study.along import (
    FOLDER,
    NetworkAlong,
    drop_rows,
    load_along,
    load_row,
    one_of_each_class,
    row_name,
    save_along,
    save_row,
)
from legr.study.left_out import left_out
from legr.study.store import Study
from legr.study.supernets import SupernetRun, save_supernet
from tests.app.demo_study import add_supernet, make_study
from tests.study.along_by_hand import CHANGED_FIRST, OF_CLASSES, TOP1, TOP1_OF_CLASSES, along


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "studies" / "one")


def save(study: Study, supernet: SupernetRun | None = None) -> Path:
    name = study.default_ranking
    weights = (supernet.key, supernet.created) if supernet else (None, "")
    save_along(study, along(name, study.ranking_id(name), *weights, study.calibration.key))
    return study.path / FOLDER / f"{name}-{supernet.key if supernet else 'pruned'}.safetensors"


def test_accuracies_and_changes_are_those_counted_by_hand() -> None:
    found = along()
    assert found.top1.tolist() == list(TOP1)
    assert np.allclose(found.top1_of_classes(3), TOP1_OF_CLASSES)
    assert np.isnan(found.top1_of_classes(4)[:, 3]).all()
    assert (found.changing + 1).tolist() == list(CHANGED_FIRST)
    assert (found.of_classes + 1).tolist() == list(OF_CLASSES)


def test_of_many_classes_images_are_spread_over_them() -> None:
    labels = np.arange(1000, dtype=np.int32)[::-1].copy()
    found = one_of_each_class(labels, np.ones(1000, dtype=bool))
    assert len(found) == 12 and labels[found].tolist()[0] == 0 and labels[found].tolist()[-1] == 999
    assert not len(one_of_each_class(labels, np.zeros(1000, dtype=bool)))


def test_what_is_stored_is_read_back(study: Study) -> None:
    name = study.default_ranking
    assert load_along(study, name) is None
    save(study)
    found, expected = load_along(study, name), along()
    assert found is not None and found.about.networks == expected.about.networks
    for part in ("labels", "classes", "numbers", "probabilities", "pictures"):
        one, other = getattr(found, part), getattr(expected, part)
        assert one.dtype == other.dtype and np.array_equal(one, other), part


def test_predictions_of_other_networks_than_today_s_are_none(study: Study) -> None:
    name = study.default_ranking
    save(study)
    run = add_supernet(study)
    assert load_along(study, name) is None  # those of the pruned original are not asked for any more
    save(study, run)
    assert load_along(study, name) is not None
    assert [path.name for path in (study.path / FOLDER).iterdir()] == [f"{name}-{run.key}.safetensors"]
    save_supernet(study, replace(run, created="2026-09-09T09:09:09Z"))  # trained again: the same key, other weights
    assert load_along(study, name) is None
    save_supernet(study, run)
    learned = study.learned
    assert learned is not None
    study.save_learned(replace(learned, alpha=learned.alpha[::-1], kappa=learned.kappa[::-1]))
    assert load_along(Study.open(study.path), name) is None


@pytest.mark.parametrize(
    ("part", "values", "said"),
    [
        ("labels", np.array([3] * 8, dtype=np.int16), "an index is out of range"),
        ("labels", np.zeros(0, dtype=np.int16), "do not fit together|out of range"),
        ("classes", np.zeros((3, 8), dtype=np.int16), "do not fit together"),
        ("classes", np.zeros((4, 8), dtype=np.float32), "unknown form"),
        ("numbers", np.array([0], dtype=np.int16), "do not fit together"),
        ("probabilities", np.full((4, 6), 2, dtype=np.float32), "out of range"),
        ("pictures", np.zeros((6, 2, 4, 4), dtype=np.uint8), "unknown form"),
        ("pictures", np.zeros((6, 3, 0, 0), dtype=np.uint8), "unknown form"),
        ("numbers", np.arange(6, dtype=np.int16)[::-1].copy(), "pictures of some images are missing"),
    ],
)
def test_a_file_that_was_changed_is_one_sentence(study: Study, part: str, values: np.ndarray, said: str) -> None:
    path = save(study)
    tensors = load_file(path)
    info = replace(study.info, num_classes=3)
    study.info = info
    assert load_along(study, study.default_ranking) is not None
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        header = file.metadata()
    save_file({**tensors, part: values}, path, header)
    with pytest.raises(StudyError, match=said) as raised:
        load_along(study, study.default_ranking)
    assert "with `python -m legr classes --ranking learned`, or remove it" in str(raised.value)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), os.mkfifo, Path.mkdir])
def test_a_damaged_file_is_said(study: Study, damage: Callable[[Path], object]) -> None:
    path = save(study)
    path.unlink()
    damage(path)
    (sentence,) = left_out(study)
    assert f"one/{FOLDER}/{path.name} cannot be read" in sentence


@pytest.mark.parametrize("shares", [(1, 0.5, 0.5, 0.2), (1, 0.2, 0.5, 0.1), (0.9, 0.5, 0.4, 0.2), (1, 0.5, 0.2, 0)])
def test_networks_that_do_not_become_smaller_are_one_sentence(study: Study, shares: tuple[float, ...]) -> None:
    name = study.default_ranking
    found = along(name, study.ranking_id(name), calibration=study.calibration.key)
    networks = tuple(NetworkAlong(f"{n}", share) for n, share in enumerate(shares))
    save_along(study, replace(found, about=replace(found.about, networks=networks)))
    with pytest.raises(StudyError, match="its networks do not become smaller and smaller"):
        load_along(study, name)


def test_predictions_of_one_network_are_kept_until_all_are_there(study: Study) -> None:
    found = along()
    one, other = (row_name(found.about, network) for network in found.about.networks[:2])
    again = row_name(replace(found.about, trained="later"), found.about.networks[0])
    assert len({one, other, again}) == 3
    shares = np.linspace(0, 1, 8, dtype=np.float32)
    assert load_row(study, one, 8) is None
    save_row(study, one, found.classes[0], shares)
    loaded = load_row(study, one, 8)
    assert loaded is not None
    assert np.array_equal(loaded[0], found.classes[0]) and np.array_equal(loaded[1], shares)
    assert load_row(study, one, 9) is None and load_row(study, other, 8) is None
    (study.path / "checkpoints" / f"{one}.safetensors").write_bytes(b"torn")
    assert load_row(study, one, 8) is None
    drop_rows(study, [one, other])
    assert not list((study.path / "checkpoints").iterdir())
