"""Networks that stay loaded: which are kept, how many, and when the files of a study count as changed."""

import os
from pathlib import Path

from torch import nn

from legr.commands.loaded import Recent, files_of
from legr.study.catalog import SAMPLES
from legr.study.store import Study


def test_the_last_ones_are_kept() -> None:
    recent, loads = Recent(2, lambda model: model), []

    def get(key: str) -> nn.Module:
        return recent.get(key, lambda: loads.append(key) or nn.Linear(3, 2))  # type: ignore[func-returns-value]

    a = get("a")
    get("b")
    assert get("a") is a and loads == ["a", "b"]
    get("c")  # b was asked for longest ago
    assert get("a") is a
    get("b")
    assert loads == ["a", "b", "c", "b"]


def test_what_fails_is_not_kept() -> None:
    recent = Recent(2, lambda model: model)
    for _ in range(2):
        try:
            recent.get("a", lambda: nn.Linear(3, "two"))  # type: ignore[arg-type]
        except TypeError:
            continue
        raise AssertionError


def test_large_networks_push_others_out_and_the_last_stays() -> None:
    """A layer of 10 x 9 weights and 10 biases, in float32: 400 bytes."""
    recent, loads = Recent(9, lambda model: model, most_bytes=1000), []

    def get(key: str, inputs: int = 9) -> None:
        recent.get(key, lambda: loads.append(key) or nn.Linear(inputs, 10))  # type: ignore[func-returns-value]

    for key in "abab":
        get(key)
    assert loads == ["a", "b"]
    get("c")
    get("b")
    assert loads == ["a", "b", "c"]
    get("huge", 1000)
    get("huge", 1000)
    get("b")
    assert loads == ["a", "b", "c", "huge", "b"]


def test_a_study_is_another_when_a_file_of_it_is_written(tmp_path: Path) -> None:
    study = Study.open(SAMPLES / "digits-resnet20").copy_to(tmp_path / "own")
    before = files_of(study)
    assert files_of(Study.open(study.path)) == before
    seen = {before}
    for file in ("ranking.json", "weights.safetensors", next((study.path / "finetuned").glob("*.safetensors")).name):
        path = next(study.path.rglob(file))
        os.utime(path, ns=(1, 1))
        seen.add(files_of(study))
    (study.path / "shape.json").write_text("{}")
    seen.add(files_of(study))
    next((study.path / "finetuned").glob("*.json")).unlink()
    seen.add(files_of(study))
    next((study.path / "supernets").glob("*-statistics.safetensors")).unlink()
    seen.add(files_of(study))
    assert len(seen) == 7
