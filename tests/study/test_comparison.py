"""Comparisons: the four counts add up, and what is on disk is what was compared, or one sentence."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from legr.errors import StudyError
from legr.study.catalog import delete, duplicate, rename
from legr.study.comparison import (
    TOP,
    between,
    comparison_name,
    list_compared,
    load_comparison,
    load_original,
    save_comparison,
    save_original,
)
from legr.study.store import Study
from tests.app.demo_study import add_finetuned, make_study
from tests.study.comparison_by_hand import COUNTS, DIFFER, LABELS, ORIGINAL, answers, comparison


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "studies" / "one")


def save(study: Study, name: str = "a-pruned") -> None:
    found = comparison()
    save_original(study, found.labels, found.original)
    save_comparison(study, name, found)


def test_the_counts_are_those_counted_by_hand() -> None:
    found = comparison()
    assert found.counts() == COUNTS and sum(COUNTS.values()) == len(LABELS)
    assert (np.flatnonzero(found.differ) + 1).tolist() == list(DIFFER)
    assert COUNTS["both"] + COUNTS["only_original"] == sum(a == b for a, b in zip(LABELS, ORIGINAL, strict=True))
    assert TOP == 5


def test_what_is_stored_is_read_back(study: Study) -> None:
    assert load_original(study) is None and load_comparison(study, "a-pruned") is None and list_compared(study) == []
    save(study)
    found, expected = load_comparison(study, "a-pruned"), comparison()
    assert found is not None
    assert found.network == expected.network and list_compared(study) == [expected.network]
    for name in ("labels", "numbers", "pictures"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    for side in ("original", "pruned"):
        one, other = getattr(found, side), getattr(expected, side)
        assert np.array_equal(one.classes, other.classes) and np.array_equal(one.probabilities, other.probabilities)


def test_another_network_or_other_weights_have_another_name(study: Study) -> None:
    curve = study.curve()
    half, third = curve.at(macs=0.5), curve.at(macs=0.3)
    run = add_finetuned(study)
    again = replace(run, created="2026-02-01T00:00:00Z")
    names = {
        comparison_name(half, None),
        comparison_name(third, None),
        comparison_name(half, run),
        comparison_name(half, again),
    }
    assert len(names) == 4
    assert all(name.replace("-", "").isalnum() for name in names)
    outside = replace(run, key="../../etc")
    assert "/" not in comparison_name(half, outside)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
@pytest.mark.parametrize("name", ["a-pruned", "original"])
def test_a_truncated_file_is_one_sentence(study: Study, name: str, share: float) -> None:
    save(study)
    path = study.path / "compared" / f"{name}.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(StudyError, match=rf"one/compared/{name}.safetensors cannot be read .* compare again"):
        load_comparison(study, "a-pruned")
    assert len(list_compared(study)) == (name == "original")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classes", np.full((8, 2), 10, dtype=np.int32)),
        ("classes", np.zeros((8, 2), dtype=np.float32)),
        ("classes", np.zeros((7, 2), dtype=np.int32)),
        ("classes", np.zeros((8, 0), dtype=np.int32)),
        ("probabilities", np.full((8, 2), np.nan, dtype=np.float32)),
        ("numbers", np.array([0, 1, 8], dtype=np.int32)),
        ("numbers", np.array([-1, 1, 2], dtype=np.int32)),
        ("pictures", np.zeros((2, 3, 4, 4), dtype=np.uint8)),
        ("pictures", np.zeros((3, 2, 4, 4), dtype=np.uint8)),
    ],
)
def test_values_that_cannot_be_are_refused(study: Study, name: str, value: np.ndarray) -> None:
    save(study)
    path = study.path / "compared" / "a-pruned.safetensors"
    tensors = load_file(path)
    save_file({**tensors, name: value}, path, {"network": '{"ranking": "identity"}'})
    with pytest.raises(StudyError, match="cannot be read"):
        load_comparison(study, "a-pruned")


def test_a_comparison_without_the_original_is_one_sentence(study: Study) -> None:
    save(study)
    (study.path / "compared" / "original.safetensors").unlink()
    with pytest.raises(StudyError, match=r"original\.safetensors cannot be read \(it is missing"):
        load_comparison(study, "a-pruned")


def test_comparisons_go_where_the_study_goes(study: Study, tmp_path: Path) -> None:
    save(study)
    copy = duplicate(study, "two", study.path.parent)
    renamed = rename(copy, "three")
    assert load_comparison(renamed, "a-pruned") is not None
    delete(renamed)
    assert not renamed.path.exists() and load_comparison(study, "a-pruned") is not None


def test_a_sample_is_not_written(tmp_path: Path) -> None:
    sample = make_study(tmp_path / "shown", sample=True)
    with pytest.raises(StudyError, match="sample"):
        save(sample)
    assert not (sample.path / "compared").exists()


def test_two_networks_beside_each_other_of_which_each_was_compared_with_the_original() -> None:
    """The other one is right everywhere but on image 3, and its picture of image 8 is stored: it differs there."""
    right = (0, 0, 1, 1, 1, 2, 2, 2)
    numbers = np.array([4, 7], dtype=np.int32)  # images 5 and 8: there it differs from the original
    images = np.broadcast_to(numbers[:, None, None, None], (2, 3, 4, 4)).astype(np.uint8)
    held = replace(comparison(), pruned=answers(right), numbers=numbers, pictures=np.array(images))
    found = between(held, comparison())
    # The pruned one of before: 0, 1, 0, 1, 0, 2, 0, 0 beside 0, 0, 0, 1, 1, 2, 2, 2.
    assert found.counts() == {"both": 3, "only_original": 4, "only_pruned": 1, "neither": 0}
    assert (np.flatnonzero(found.differ) + 1).tolist() == [2, 3, 5, 7, 8]
    assert found.numbers.tolist() == [1, 2, 4, 7]  # image 7 has no picture in either
    assert found.pictures[:, 0, 0, 0].tolist() == [1, 2, 4, 7]
    assert found.network == comparison().network
