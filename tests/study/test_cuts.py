"""What was cut before a study began: damaged or changed by hand, it is one sentence and never another network."""

import json
from pathlib import Path

import numpy as np
import pytest

from legr.commands.original import original
from legr.errors import StudyError
from legr.structure.types import Plan
from legr.study.cuts import load_cuts, save_cuts
from legr.study.store import Study

PLAN = Plan(
    (("conv1.weight", 0, np.array([0, 2, 5], dtype=np.int32)),),
    (("conv1", "out_channels", None, 3), ("norm", "normalized_shape", 0, 3)),
    (("shortcut.index", np.array([-1, 0, 1], dtype=np.int32)),),
)


@pytest.fixture
def study(study_path: Path) -> Study:
    """A study that begins with a network which was cut."""
    facts = json.loads((study_path / "study.json").read_text())
    (study_path / "study.json").write_text(json.dumps({**facts, "pruned_to": 0.5}))
    save_cuts(study_path, PLAN)
    return Study.open(study_path)


def changed(study: Study, **parts: object) -> Study:
    path = study.path / "cuts.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **parts}))
    return study


def test_it_is_read_as_it_was_written(study: Study) -> None:
    found = load_cuts(study)
    assert found is not None
    assert [(name, dim, positions.tolist()) for name, dim, positions in found.slices] == [
        ("conv1.weight", 0, [0, 2, 5])
    ]
    assert found.attributes == PLAN.attributes
    assert [(name, values.tolist()) for name, values in found.indexes] == [("shortcut.index", [-1, 0, 1])]
    path = study.path / "cuts.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4, sort_keys=True))  # the same, laid out otherwise
    assert load_cuts(study) is not None


@pytest.mark.parametrize(
    "parts",
    [
        {"slices": [["conv1.weight", 0, [0, 2, 6]]]},  # another filter, as good as the one that was kept
        {"attributes": [["conv1", "out_channels", None, 4], ["norm", "normalized_shape", 0, 3]]},
        {"indexes": []},
        {"sha256": "0" * 64},
    ],
)
def test_whatever_was_changed_by_hand_is_noticed(study: Study, parts: dict[str, object]) -> None:
    with pytest.raises(StudyError, match=r"its checksum does not match: it was edited or damaged\); restore the file"):
        load_cuts(changed(study, **parts))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        '{"slices": [], "attributes": []}',
        '{"slices": [["w", 0, [1e400]]], "attributes": [], "indexes": []}',
        '{"slices": [["w", 0, [99999999999999999999]]], "attributes": [], "indexes": []}',
        '{"slices": [["w", Infinity, [1]]], "attributes": [], "indexes": []}',
        '{"slices": [], "attributes": [["conv1", "forward", null, 1]], "indexes": []}',
        '{"slices": [], "attributes": [], "indexes": [["i", [4294967296]]]}',
    ],
)
def test_a_damaged_file_is_one_sentence(study: Study, content: str) -> None:
    (study.path / "cuts.json").write_text(content)
    with pytest.raises(StudyError, match=r"digits8/cuts.json cannot be read .*; restore the file or make the study"):
        load_cuts(study)


@pytest.mark.parametrize(
    "part",
    [
        {"slices": [["no.such", 0, [0]]]},
        {"slices": [["conv1.weight", 7, [0]]]},
        {"slices": [["conv1.weight", 0, [0, 999]]]},
        {"attributes": [["no.such", "groups", None, 2]]},
        {"indexes": [["conv1.weight", list(range(10_000))]]},
    ],
)
def test_cuts_of_another_network_without_a_sum_are_one_sentence(study: Study, part: dict[str, object]) -> None:
    """Files of earlier versions have no sum."""
    (study.path / "cuts.json").write_text(json.dumps({"slices": [], "attributes": [], "indexes": [], **part}))
    assert load_cuts(study) is not None
    with pytest.raises(
        StudyError, match=r"does not fit cifar_resnet8 \(.*\); restore the file or make the study again"
    ):
        original(study)
