"""Whatever is in a file, the program reads it or says in one sentence what is wrong with it."""

import random
from pathlib import Path

import pytest

from tests.fuzz.mutants import mutate
from tests.fuzz.places import make_places
from tests.fuzz.run import run

MUTANTS, SEED = 150, 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, place in (("DATA", "data"), ("CACHE", "cache"), ("STUDIES", "studies"), ("CONFIG", "legr.toml")):
        monkeypatch.setenv(f"LEGR_{name}", str(tmp_path / place))
    return tmp_path


@pytest.mark.slow
def test_damaged_files_are_one_sentence(folder: Path) -> None:
    places = make_places(folder, Path(__file__).parents[1] / "study" / "format_0_1")
    whole = run(places, len(places), SEED, damage=lambda content, *_: content)
    assert (whole.said, whole.wrong) == (0, [])  # undamaged, every file is read
    tally = run(places, MUTANTS, SEED)
    assert tally.wrong == []
    assert tally.mutants == MUTANTS and tally.said > MUTANTS // 4


def test_a_seed_damages_in_the_same_way() -> None:
    content = (Path(__file__).parents[1] / "study" / "format_0_1" / "points.json").read_bytes()
    first, again = ([mutate(content, "json", random.Random(n), []) for n in range(50)] for _ in range(2))
    assert first == again and len(set(first)) > 40
