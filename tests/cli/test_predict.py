"""look and compare as commands: results, mistakes in one sentence, samples as they were, kills that lose nothing."""

import base64
import io
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from legr.study.catalog import SAMPLES
from legr.study.store import Study
from tests.cli.processes import called, kill_when, refused

SAMPLE = SAMPLES / "digits-resnet20"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(path)
    return path


def contents(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.slow
def test_a_look_at_a_file(image: Path) -> None:
    before = contents(SAMPLE)
    found, _ = called("look", "--study", SAMPLE, "--macs", 0.3, "--image", image, "--json")
    assert contents(SAMPLE) == before
    assert found["label"] is None and found["finetuned"] and found["epochs"] == 10
    assert found["prepared"] == "40 x 30 pixels, scaled to 43 x 32, the middle 32 x 32 taken"
    for side in ("original", "pruned"):
        shares = [answer["probability"] for answer in found[side]]
        assert len(shares) == 5 and shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 1 + 1e-6
        assert all(answer["name"] == "0123456789"[answer["class"]] for answer in found[side])
    seen = Image.open(io.BytesIO(base64.b64decode(found["seen"])))
    expected = Image.open(image).resize((43, 32), Image.Resampling.BILINEAR).crop((5, 0, 37, 32))
    assert np.array_equal(np.asarray(seen), np.asarray(expected))
    picture = Image.open(io.BytesIO(base64.b64decode(found["picture"])))
    assert np.array_equal(np.asarray(picture), np.asarray(Image.open(image)))


def test_mistakes_are_one_sentence(image: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture")
    usual = ("look", "--study", SAMPLE, "--macs", 0.3)
    for arguments, sentence in (
        ((*usual, "--image", text), "no PNG, JPEG, WebP or BMP image"),
        ((*usual, "--image", tmp_path / "none.png"), "check its path"),
        ((*usual, "--test-image", 360), "a number from 1 to 359, got 360"),
        ((*usual, "--test-image", 0), "test-image must be in [1, 10000000], got 0"),
        (usual, "give either --image FILE or --test-image NUMBER"),
        ((*usual, "--image", image, "--test-image", 1), "give either"),
        (("look", "--study", SAMPLE, "--test-image", 1), "look needs a budget"),
        (("compare", "--study", SAMPLE), "compare needs a budget"),
    ):
        said = refused(*arguments)
        assert sentence in said.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.thorough
def test_a_comparison_works_on_a_copy_of_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGR_STUDIES", str(tmp_path))
    before = contents(SAMPLE)
    arguments = ("compare", "--study", SAMPLE, "--macs", 0.3, "--no-finetuned", "--json")
    code, _ = kill_when("choosing the statistics", *arguments)
    assert code == -signal.SIGKILL
    copy = Study.open(tmp_path / "digits-resnet20")
    assert [path.name for path in (copy.path / "compared").iterdir()] == ["original.safetensors"]
    found, said = called(*arguments)
    assert said.count("test image 359 of 359") <= 1  # the original was asked before the kill
    again, said = called(*arguments)
    assert again == found and "test image" not in said
    assert contents(SAMPLE) == before
    jobs = called("jobs", "--study", copy.path, "--json")[0]["jobs"]
    assert [(job["kind"], job["state"]) for job in jobs] == [("compare", "done"), ("compare", "interrupted")]
