"""A pruned network is pruned further: export -> new study -> export -> rebuild, on the same images or elsewhere."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

import legr
from legr.commands.create import ImageSource, NetworkSource, create
from legr.commands.export import export
from legr.commands.finetune import Tuning, run_finetune
from legr.commands.from_recipe import create_from_recipe
from legr.commands.learn import run_learn, search_task
from legr.commands.original import original
from legr.models.zoo import build_model
from legr.progress import silent
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.requests.learn import LearnRequest
from legr.structure.cost import original_cost
from legr.structure.counters import count
from legr.study.store import Study
from legr.training.settings import TrainSettings
from tests.cli.processes import called, learn, refused

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
IMAGES = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def answers(network: nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return network(IMAGES)


def exported(study: Study, budget: float, out: Path) -> Path:
    return Path(export(study, ExportRequest(Budget(macs=budget), out), silent).recipe)


@pytest.fixture(scope="module")
def bundle(made_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of a fine-tuned ResNet-8 at half its MACs. Do not write to it."""
    folder = tmp_path_factory.mktemp("bundle")
    study = Study.open(made_study).copy_to(folder / "study")
    run_finetune(study, Budget(macs=0.5), Tuning(TrainSettings(epochs=1)), CPU, silent)
    return exported(study, 0.5, folder / "out").parent


@pytest.fixture(scope="module")
def second(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of the network in that bundle; the bundle it was made from is gone. Do not write to it."""
    folder = tmp_path_factory.mktemp("second")
    shutil.copytree(bundle, folder / "copy")
    study = create_from_recipe(folder / "study", folder / "copy", "digits", None, silent)
    shutil.rmtree(folder / "copy")
    return study


def test_the_new_study_is_about_the_exported_network(bundle: Path, second: Study) -> None:
    expected = legr.rebuild(bundle / "recipe.json")
    assert torch.equal(answers(original(second)), answers(expected))
    recipe = json.loads((bundle / "recipe.json").read_text())
    assert second.info.model == recipe["model"] == "cifar_resnet8"
    assert list(second.info.normalization.mean) == recipe["normalization"]["mean"]
    assert second.info.normalization.kind == "dataset"
    assert second.info.weights_origin == "elsewhere"  # those of the first study were random, and so of no known split
    assert second.info.self_check < 1e-9, "zeroed = removed on the pruned network"


def test_costs_of_the_new_study_are_counted_on_the_network(bundle: Path, second: Study) -> None:
    example = torch.zeros(1, 3, 32, 32)
    pruned, whole = original(second), build_model("cifar_resnet8", 10)
    assert original_cost(second.structure) == count(pruned, example)
    assert second.info.pruned_to == count(pruned, example).macs / count(whole, example).macs
    assert second.info.pruned_to == pytest.approx(json.loads((bundle / "recipe.json").read_text())["macs_fraction"])
    for budget in (0.8, 0.5, 0.3):
        keep = second.curve().at(macs=budget)
        smaller = legr.prune(pruned, second.structure, keep)
        assert legr.cost(second.structure, keep) == count(smaller, example)


@pytest.mark.usefixtures("without_onnx")
def test_exported_whole_it_is_the_same_function(bundle: Path, second: Study, tmp_path: Path) -> None:
    again = exported(second, 1.0, tmp_path)
    assert torch.equal(answers(legr.rebuild(again)), answers(legr.rebuild(bundle / "recipe.json")))
    first, told = (json.loads(path.read_text()) for path in (bundle / "recipe.json", again))
    assert told["macs_fraction"] == pytest.approx(first["macs_fraction"])
    assert {name for name in tmp_path.iterdir() if name.suffix == ".zip"} == {tmp_path / "cifar_resnet8-50pct.zip"}


@pytest.mark.thorough
def test_pruned_twice_it_is_rebuilt_from_the_model_it_names(second: Study, tmp_path: Path) -> None:
    study = second.copy_to(tmp_path / "study")
    run_learn(study, search_task(study, LearnRequest(method="evolution", images=64, candidates=3)), CPU)
    run_finetune(study, Budget(macs=0.6), Tuning(TrainSettings(epochs=1)), CPU, silent)
    recipe = exported(study, 0.6, tmp_path / "out")
    network = legr.rebuild(recipe)
    told, curve = json.loads(recipe.read_text()), study.curve()
    step = curve.step(macs=0.6)
    assert told["finetuned"] and told["params"] == curve.params[step] == sum(p.numel() for p in network.parameters())
    assert told["macs_fraction"] == pytest.approx(study.info.pruned_to * curve.macs[step] / curve.original.macs)
    third = create_from_recipe(tmp_path / "third", recipe, "digits", None, silent)  # and on it goes
    assert torch.equal(answers(original(third)), answers(network))
    last = exported(third, 0.7, tmp_path / "last")
    keep = third.curve().at(macs=0.7)
    expected = legr.prune(network, third.structure, keep)
    assert count(legr.rebuild(last), IMAGES[:1]) == count(expected, IMAGES[:1])


@pytest.mark.usefixtures("without_onnx")
@pytest.mark.thorough
def test_weights_that_never_saw_the_heldout_images_stay_so(tmp_path: Path) -> None:
    from legr.data.load import load_dataset
    from legr.models.weights import save_weights

    metadata = {"made_by": "legr", "data": load_dataset("digits").fingerprint, "split_seed": "0"}
    save_weights(build_model("cifar_resnet8", 10), tmp_path / "own.safetensors", metadata)
    source = NetworkSource("cifar_resnet8", tmp_path / "own.safetensors")
    first = create(tmp_path / "first", source, ImageSource("digits"), silent)
    exported(first, 0.5, tmp_path / "out")
    again = create_from_recipe(tmp_path / "again", tmp_path / "out", "digits", None, silent)
    assert (first.info.weights_origin, again.info.weights_origin) == ("legr", "legr")


def test_on_the_command_line(bundle: Path, tmp_path: Path) -> None:
    study, archive = tmp_path / "study", next(bundle.glob("*.zip"))
    made, _ = called("new", "--study", study, "--recipe", archive, "--data", "digits", "--json")
    opened = Study.open(study)
    assert made["macs"] == original_cost(opened.structure).macs
    same = ("--model", "cifar_resnet8", "--weights", bundle / "network.safetensors")
    learned, _ = called(*learn(study, *same, "--candidates", 2))
    assert learned["candidates"], "the same network may be named again"
    other = ("new", "--study", tmp_path / "other", "--recipe", archive)
    assert "give --recipe, or --model and --weights" in refused(*other, "--weights", "none")
    assert "give --data as well" in refused(*other)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 99}, "newer version"),
        ({"model": "robot.nets:build"}, "never named on this machine"),
        ({"model": "no_such_net"}, "model must be one of"),
        ({"input_shape": [3, 2**40, 32]}, "an input is sizes|hold 2"),
        ({"normalization": {"kind": "dataset", "mean": ["x"], "std": [1]}}, "normalization cannot be used"),
        ({"classes": ["0", "1"]}, "names 2 classes for 10 outputs"),
        ({"classes": list("0123456788")}, "names 10 classes for 10 outputs"),
        ({"classes": list("abcdefghij")}, "digits has no class 'a'"),
        ({"num_classes": 3}, "classes for 3 outputs"),
        ({"plan": []}, "cannot be used"),
        ({"plan": {"slices": [["conv1.weight", 0, [0]]], "attributes": [], "indexes": []}}, "does not fit|cannot be"),
        ({"weights": {"file": "../../etc/passwd", "sha256": ""}}, "recipe.json"),
    ],
)
def test_a_hostile_or_damaged_bundle_makes_no_study(
    bundle: Path, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    recipe = json.loads((bundle / "recipe.json").read_text())
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        archive.writestr("recipe.json", json.dumps({**recipe, **change}))
        archive.write(bundle / "network.safetensors", "network.safetensors")
    with pytest.raises(legr.LegrError, match=words):
        create_from_recipe(tmp_path / "study", tmp_path / "bundle.zip", "digits", None, silent)
    assert not (tmp_path / "study" / "study.json").exists()


@pytest.mark.thorough
def test_outputs_in_another_order_are_put_in_order(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "bundle")
    recipe = json.loads((bundle / "recipe.json").read_text())
    (tmp_path / "bundle" / "recipe.json").write_text(json.dumps({**recipe, "classes": list("9876543210")}))
    study = create_from_recipe(tmp_path / "study", tmp_path / "bundle", "digits", None, silent)
    assert study.info.classes == tuple("0123456789")
    expected = answers(legr.rebuild(bundle / "recipe.json")).flip(1)
    assert torch.allclose(answers(original(study)), expected, atol=1e-6)


def test_images_of_other_classes_are_refused(bundle: Path, tmp_path: Path) -> None:
    from tests.data.pictures import write_class_folders

    folder = write_class_folders(tmp_path / "pictures")
    with pytest.raises(legr.SettingsError, match="has no class '0'"):
        create_from_recipe(tmp_path / "study", bundle, str(folder), None, silent)


def test_a_damaged_note_of_the_cuts_is_one_sentence(second: Study, tmp_path: Path) -> None:
    study = second.copy_to(tmp_path / "study")
    cuts = study.path / "cuts.json"
    for content, words in (
        ("{}", "cuts.json cannot be read"),
        ('{"slices": [["no.such", 0, [0]]], "attributes": [], "indexes": []}', "has no no.such"),
        (None, "cuts.json is missing"),
    ):
        cuts.unlink() if content is None else cuts.write_text(content)
        with pytest.raises(legr.LegrError, match=words):
            original(study)
