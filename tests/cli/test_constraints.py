"""The command `shape`, and budgets of every kind on the command line."""

from pathlib import Path

import pytest

from legr.study.store import Study
from tests.cli.processes import called, refused


def test_a_shape_is_set_replaced_shown_and_cleared(study_path: Path) -> None:
    shape = ("shape", "--study", study_path)
    plain, _ = called(*shape, "--json")
    assert plain["shape"] == {"multiple": 1, "floors": {}, "excluded": [], "pins": {}}
    set_, _ = called(*shape, "--multiple", 8, "--exclude", "layer1.0.conv1", "--pin", "layer3.0.conv1=17", "--json")
    assert set_["shape"]["pins"] == {"layer3.0.conv1": 17}
    assert set_["floors"]["macs"] > plain["floors"]["macs"]
    assert called(*shape, "--json")[0] == set_
    rows = called("show", "--study", study_path, "--macs", 0.6, "--json")[0]["layers"]
    counts = {row["name"]: row["kept"] for row in rows}
    assert (counts.pop("layer1.0.conv1"), counts.pop("layer3.0.conv1")) == (16, 17)
    assert all(count % 8 == 0 for count in counts.values())
    replaced, _ = called(*shape, "--floor", "layer3.0.conv1=9,layer2.0.conv1=3", "--json")
    assert (replaced["shape"]["multiple"], replaced["shape"]["pins"]) == (1, {})
    assert replaced["shape"]["floors"] == {"layer2.0.conv1": 3, "layer3.0.conv1": 9}
    whole, _ = called(*shape, "--blocks", "--keep-blocks", "layer1.0", "--remove-blocks", "layer2.0", "--json")
    assert whole["shape"] == plain["shape"] | {
        "blocks": True, "kept_blocks": ["layer1.0"], "removed_blocks": ["layer2.0"]
    }  # fmt: skip
    assert whole["floors"]["macs"] < plain["floors"]["macs"]
    least = called("show", "--study", study_path, "--macs", whole["floors"]["macs"], "--json")[0]["layers"]
    counts = {row["name"]: row["kept"] for row in least}
    assert (counts["layer1.0.conv1"], counts["layer2.0.conv1"], counts["layer3.0.conv1"]) == (2, 0, 0)
    assert called(*shape, "--clear", "--json")[0] == plain
    assert not (study_path / "shape.json").exists()


def test_limits_of_several_kinds_hold_together(study_path: Path) -> None:
    curve = Study.open(study_path).curve()
    found, _ = called("show", "--study", study_path, "--macs", 0.9, "--weight-mb", 0.1, "--json")
    step = curve.step(macs=0.9, weight_mb=0.1)
    assert (found["macs"], found["params"]) == (curve.macs[step], curve.params[step])
    assert 4 * found["params"] <= 0.1e6
    assert found["floors"] == curve.floors
    scored, _ = called("evaluate", "--study", study_path, "--mmacs", 5, "--json")
    assert scored["macs"] == curve.macs[curve.step(mmacs=5)]


@pytest.mark.slow
def test_fine_tuning_within_megabytes_stands_at_its_share_of_macs(study_path: Path) -> None:
    done, _ = called("finetune", "--study", study_path, "--weight-mb", 0.1, "--epochs", 1, "--json")
    study = Study.open(study_path)
    assert done["macs_fraction"] == study.points[-1].budget == study.points[-1].macs_fraction
    assert 4 * study.points[-1].params <= 0.1e6


def test_mistakes_are_one_sentence(study_path: Path) -> None:
    shape = ("shape", "--study", study_path)
    for arguments, words in (
        ((*shape, "--multiple", 5), "multiples of 1, 4, 8, 16, 32, got 5"),
        ((*shape, "--pin", "layer1.0.conv1"), "such as conv1=12, got 'layer1.0.conv1'"),
        ((*shape, "--pin", "conv1=" + "9" * 5000), "such as conv1=12, got 'conv1=999999"),
        ((*shape, "--pin", "conv1=3", "--pin", "conv1=4"), "names conv1 twice, with 3 and 4"),
        ((*shape, "--exclude", "layer9"), "no layer 'layer9'"),
        ((*shape, "--remove-blocks", "layer9.0"), "no block 'layer9.0' that can leave; did you mean"),
        ((*shape, "--pin", "conv1=12", "--pin", "layer1.0.conv2=11"), "pinned to 12; pin it to 12"),
        ((*shape, "--multiple", 8, "--clear"), "--clear"),
        (("finetune", "--study", study_path), "finetune needs a budget: give one or more of --macs, --params"),
        (("export", "--study", study_path, "--out", study_path / "out"), "--fps, such as --macs 0.5"),
        (("show", "--study", study_path, "--weight-mb", 1e-4), "MB of weights is below the floor"),
    ):
        said = refused(*arguments)
        assert words in said.splitlines()[-1], (arguments, said)
    assert not (study_path / "shape.json").exists()
