"""A study on disk: what is read is what was written; damage is one sentence."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from legr.errors import SettingsError, StudyError
from legr.files import write_json
from legr.ranking.constraints import Constraints
from legr.study.catalog import list_studies, studies_folder, writable
from legr.study.latency import Latency
from legr.study.records import RANKINGS, FineTuning, Learned, Point, PointRanking, SearchSettings
from legr.study.store import Study, keep_id
from legr.training.settings import TrainSettings

ROOT = Path(__file__).resolve().parents[2]
BUDGET = SearchSettings(budgets=(0.5,))
DEVICE = SearchSettings(cost="latency", device_profile="here", profile_id="0")


def a_learned(study: Study, kappa: float = 0.0, settings: SearchSettings = BUDGET) -> Learned:
    n = len(study.structure.layers)
    names = tuple(layer.name for layer in study.structure.layers)
    return Learned(
        names,
        (2.0,) * n,
        (kappa,) * n,
        settings,
        3,
        1,
        2.0,
        1.0,
        (2.0, 1.0, 1.0),
        (1.0, 2.0, 3.0),
        4.5,
        False,
    )


def a_point(ranking: PointRanking, ranking_id: str = "", budget: float = 0.5) -> Point:
    return Point(ranking, ranking_id, budget, 1, 1, budget, 0.9, 0.3, 10, True, Latency(1.5, "PyTorch", "cpu", 2, 1))


def test_a_study_that_is_opened_again_is_the_same(study_path: Path) -> None:
    study = Study.open(study_path)
    assert (study.info.model, study.info.num_classes, study.info.input_shape) == ("cifar_resnet8", 10, (3, 32, 32))
    assert study.default_ranking == "identity"
    study.save_learned(a_learned(study))
    study.add_point(a_point("identity"))
    again = Study.open(study_path)
    assert again.default_ranking == "learned"
    assert again.learned is not None
    assert again.learned.affine.alpha.tolist() == [2.0] * 7
    assert again.points == [a_point("identity")]
    assert np.array_equal(again.curve("learned").ranking.order, again.curve("identity").ranking.order)


def test_a_map_learned_for_a_device_stands_beside_that_learned_for_macs(study_path: Path) -> None:
    study = Study.open(study_path)
    for ranking in ("learned", "learned-ms"):
        with pytest.raises(StudyError, match=f"has no {ranking} ranking yet; run .*learn"):
            study.curve(ranking)
    assert study.rankings == ["identity", "uniform"] and study.map_of("learned-ms") is None
    study.save_learned(a_learned(study))
    study.save_learned(a_learned(study, kappa=3.0, settings=DEVICE))
    again = Study.open(study_path)
    assert again.rankings == ["learned-ms", "learned", "identity", "uniform"]
    assert again.default_ranking == "learned-ms" and again.learned == again.map_of("learned-ms")
    maps = again.map_of("learned-ms"), again.map_of("learned")
    assert [learned and learned.kappa[0] for learned in maps] == [3.0, 0.0]
    again.save_learned(a_learned(again, kappa=1.0))  # learned anew for MACs: that of the device stays
    assert [learned and learned.kappa[0] for learned in map(again.map_of, RANKINGS)] == [3.0, 1.0, None, None]


def test_no_file_of_a_study_names_a_path_of_this_machine(study_path: Path) -> None:
    for path in study_path.iterdir():
        content = path.read_bytes()
        for place in (str(Path.home()), str(study_path.parent), str(ROOT)):
            assert place.encode() not in content, path.name


def test_points_of_an_older_learned_map_disappear(study_path: Path) -> None:
    study = Study.open(study_path)
    study.save_learned(a_learned(study))
    study.add_point(a_point("learned", study.ranking_id("learned")))
    tuned = replace(a_point("learned", study.ranking_id("learned")), finetuned=FineTuning.of("", TrainSettings(), 1))
    study.add_point(tuned)
    study.add_point(a_point("identity"))
    study.save_learned(a_learned(study, kappa=1.0))
    assert study.points == [tuned, a_point("identity")]


def test_a_shape_holds_for_every_ranking_and_has_points_of_its_own(study_path: Path) -> None:
    study = Study.open(study_path)
    study.save_learned(a_learned(study))
    study.save_learned(a_learned(study, kappa=2.0, settings=DEVICE))
    plain = {name: study.ranking_id(name) for name in RANKINGS}
    assert (plain["identity"], plain["uniform"]) == ("", "")
    study.save_points([a_point("original"), *(a_point(name, plain[name]) for name in RANKINGS)])
    study.save_constraints(Constraints(8, pins={"layer1.0.conv1": 5}))
    again = Study.open(study_path)
    assert again.constraints == Constraints(8, pins={"layer1.0.conv1": 5})
    for name in RANKINGS:
        kept = dict(zip((x.name for x in again.structure.layers), again.curve(name).kept.tolist(), strict=True))
        assert set(kept.pop("layer1.0.conv1")) == {5}
        assert all(count % 8 == 0 for row in kept.values() for count in row)
    shaped = {name: again.ranking_id(name) for name in RANKINGS}
    assert len({*plain.values(), *shaped.values()}) == 6  # without learning, rankings differ by their names
    assert again.points == [a_point("original")]
    again.add_point(a_point("identity", shaped["identity"]))
    again.save_constraints(Constraints())
    assert not (study_path / "shape.json").exists()
    assert {name: again.ranking_id(name) for name in RANKINGS} == plain
    assert [p.ranking for p in again.points] == ["original", *RANKINGS]


@pytest.mark.skipif(sys.platform != "linux", reason="folders are held by descriptors on Linux only")
def test_a_shape_is_not_written_into_the_study_that_took_the_place(
    study_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, moved, note = Study.open(study_path), study_path.with_name("moved"), Study._note_kept_sets

    def replaced(study: Study) -> None:
        study_path.rename(moved)
        shutil.copytree(moved, study_path)
        note(study)

    monkeypatch.setattr(Study, "_note_kept_sets", replaced)
    study.save_constraints(Constraints(multiple=4))
    assert study.path == moved and study.constraints == Constraints(multiple=4)
    assert not (study_path / "shape.json").exists()


def test_a_shape_that_the_network_cannot_have_is_not_stored(study_path: Path) -> None:
    study = Study.open(study_path)
    with pytest.raises(SettingsError, match="did you mean"):
        study.save_constraints(Constraints(pins={"layer1.0.conv3": 5}))
    with pytest.raises(StudyError, match="sample"):
        study.mark_as_sample().save_constraints(Constraints(8))
    assert study.constraints.is_plain


def test_a_point_measured_again_replaces_the_first(study_path: Path) -> None:
    study = Study.open(study_path)
    study.add_point(a_point("identity"))
    study.add_point(replace(a_point("identity"), top1=0.8))
    assert [p.top1 for p in study.points] == [0.8]


@pytest.mark.parametrize("name", ["study.json", "structure.json", "ranking.json", "shape.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}'])
def test_damage_is_one_sentence_that_names_the_file(study_path: Path, name: str, content: str) -> None:
    study = Study.open(study_path)
    study.save_learned(a_learned(study))
    study.save_constraints(Constraints(8))
    study.add_point(a_point("identity"))
    (study_path / name).write_text(content)
    with pytest.raises(StudyError) as caught:
        again = Study.open(study_path)
        _ = again.structure, again.learned, again.constraints, again.points
    assert name.split(".")[0] in str(caught.value) or "newer" in str(caught.value)


def test_a_newer_version_is_refused(study_path: Path) -> None:
    data = json.loads((study_path / "study.json").read_text())
    write_json(study_path / "study.json", {**data, "format": 99})
    with pytest.raises(StudyError, match="newer version"):
        Study.open(study_path)


def test_a_folder_that_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"legr new --study"):
        Study.open(tmp_path)


def test_samples_are_copied_before_they_are_written(study_path: Path, tmp_path: Path) -> None:
    study = Study.open(study_path)
    sample = {**study.info.to_dict(), "sample": True, "format": 1}
    write_json(study_path / "study.json", sample)
    study = Study.open(study_path)
    copy = writable(study, tmp_path / "mine")
    assert copy.path == tmp_path / "mine" / "digits8"
    assert not copy.info.sample
    copy.add_point(a_point("identity"))
    assert writable(study, tmp_path / "mine").points == copy.points  # the copy that is there is used
    assert Study.open(study_path).points == []
    assert writable(copy, tmp_path / "mine") is copy
    assert list_studies(tmp_path / "mine") == [copy.path]


def test_the_studies_folder_is_chosen_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGR_STUDIES", str(tmp_path / "env"))
    assert studies_folder(tmp_path / "chosen") == tmp_path / "chosen"
    assert studies_folder() == tmp_path / "env"
    monkeypatch.delenv("LEGR_STUDIES")
    assert studies_folder().name == "studies"


def test_kept_sets_have_names_of_their_own(study_path: Path) -> None:
    curve = Study.open(study_path).curve()
    names = {keep_id(curve.keep(step)) for step in range(0, 100)}
    assert len(names) == 100


def test_dragging_a_study_loads_no_torch(study_path: Path) -> None:
    script = (
        "import sys, legr, legr.study.catalog, legr.jobs.run, legr.jobs.records\n"
        "from legr.study.store import Study\n"
        f"study = Study.open({str(study_path)!r})\n"
        "curve = study.curve(); table = curve.table(); keep = curve.at(macs=0.5)\n"
        "study.points, study.learned, study.finetuned, legr.cost(study.structure, keep)\n"
        "from legr.commands.show import show; show(study, legr.Budget(macs=0.5))\n"
        "assert not {'torch', 'streamlit', 'optuna'} & set(sys.modules), set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_a_search_with_whole_blocks_has_a_name_of_its_own() -> None:
    plain, whole = SearchSettings(), SearchSettings(blocks=True)
    assert "blocks" not in plain.to_dict()  # so that searches of earlier versions keep their names
    assert SearchSettings.from_dict(whole.to_dict()) == whole and whole.key != plain.key
