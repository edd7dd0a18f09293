"""What networks along a ranking predict: their accuracies are those that were measured, and nothing is asked twice."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from legr.cli.class_table import class_table
from legr.commands import classes as module
from legr.commands.classes import classes, stored_classes
from legr.errors import SettingsError
from legr.progress import Progress, silent
from legr.ranking.constraints import Constraints
from legr.requests.measure import ClassesRequest
from legr.study.along import FOLDER, load_along
from legr.study.catalog import SAMPLES
from legr.study.store import Study
from legr.study.supernets import supernet_of

CPU = torch.device("cpu")
SAMPLE = SAMPLES / "digits-resnet20"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("LEGR_CACHE", str(tmp_path / "cache"))
    study = Study.open(SAMPLE).copy_to(tmp_path / "digits")
    shutil.rmtree(study.path / FOLDER)  # as a study whose networks nobody has asked
    return study


@pytest.mark.slow
def test_accuracies_are_those_of_the_supernet_s_networks(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    name, told = study.default_ranking, list[Progress]()
    run = supernet_of(study, name)
    assert run is not None
    found = classes(study, ClassesRequest(), CPU, told.append)
    own = [point for point in run.points if point.side == study.info.input_shape[1] and point.macs_fraction < 1]
    assert [network.keep_id for network in found.networks[1:]] == [point.keep_id for point in own]
    assert [network.top1 for network in found.networks[1:]] == pytest.approx([point.top1 for point in own], abs=1e-12)
    (original,) = (point for point in study.points if point.ranking == "original")
    assert found.networks[0].macs_fraction == 1 and found.networks[0].top1 == pytest.approx(original.top1, abs=1e-12)
    assert [p.done for p in told if p.stage == "network"] == list(range(1, len(own) + 2))

    along = load_along(study, name)
    assert along is not None and along.about.supernet == run.key == found.supernet
    images = np.bincount(along.labels, minlength=10)
    for row, network in enumerate(found.networks):
        of_classes = np.array(network.top1_of_classes, dtype=float)
        assert (of_classes * images).sum() / images.sum() == pytest.approx(network.top1)
        assert found.images == images.sum() and (along.top1[row] == network.top1)
    assert set(found.changed_first[:3]) <= set((along.numbers + 1).tolist())
    assert not list((study.path / "checkpoints").iterdir())
    monkeypatch.setattr(module, "predict_topk", lambda *given, **named: pytest.fail("asked twice"))
    assert classes(study, ClassesRequest(), CPU, silent) == found == stored_classes(study, None)
    assert class_table(found).splitlines()[-1].startswith("test images that change their prediction first: ")


@pytest.mark.slow
def test_a_ranking_without_a_supernet_has_its_networks_as_they_are_cut(study: Study) -> None:
    found = classes(study, ClassesRequest("uniform"), CPU, silent)
    assert found.supernet == "" and len(found.networks) > 4
    assert found.networks[-1].macs_fraction == pytest.approx(study.curve("uniform").floor)
    points = {point.keep_id: point.top1 for point in study.points if point.ranking == "uniform"}
    shared = [network for network in found.networks if network.keep_id in points]
    assert shared and all(network.top1 == pytest.approx(points[network.keep_id], abs=1e-12) for network in shared)
    assert stored_classes(study, None) is None and stored_classes(study, "uniform") == found


@pytest.mark.slow
def test_what_was_asked_before_a_stop_is_not_asked_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEASURED", 5)
    expected = classes(study, ClassesRequest(), CPU, silent)
    shutil.rmtree(study.path / FOLDER)
    predict, asked = module.predict_topk, list[int]()

    def stopping(*given: Any, **named: Any) -> Any:
        asked.append(len(asked))
        if len(asked) == 4:
            raise KeyboardInterrupt
        return predict(*given, **named)

    monkeypatch.setattr(module, "predict_topk", stopping)
    with pytest.raises(KeyboardInterrupt):
        classes(study, ClassesRequest(), CPU, silent)
    assert stored_classes(study, None) is None
    assert classes(study, ClassesRequest(), CPU, silent) == expected
    assert len(asked) == 1 + len(expected.networks)  # the one that was stopped is asked again


def test_a_study_whose_shape_leaves_the_original_alone_is_one_sentence(study: Study) -> None:
    layers = [layer.name for layer in study.structure.layers]
    study.save_constraints(Constraints(multiple=1, excluded=frozenset(layers)))
    with pytest.raises(
        SettingsError, match=r"no network of digits is smaller than the original: its floor is at 100 %"
    ):
        classes(Study.open(study.path), ClassesRequest("identity"), CPU, silent)
