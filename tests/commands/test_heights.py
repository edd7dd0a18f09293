"""Images of other heights: what a network can take, evaluated and exported with them."""

import base64
import io
import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from legr.commands.compare import compare, stored_comparison
from legr.commands.evaluate import evaluate
from legr.commands.export import export
from legr.commands.heights import macs_of, macs_of_operations, require_heights
from legr.commands.images import images_of
from legr.commands.look import NumberedTestImage, look
from legr.commands.network import choose_statistics, network_at
from legr.commands.original import original
from legr.errors import SettingsError
from legr.models.zoo import build_model
from legr.progress import silent
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.requests.measure import CompareRequest, LookRequest
from legr.structure.cost import cost
from legr.structure.counters import count
from legr.structure.kept_sets import lopsided_kept_sets
from legr.structure.surgery import prune
from legr.structure.tracing.trace import trace
from legr.structure.types import Keep
from legr.study.comparison import list_compared, load_comparison
from legr.study.heights import structures_by_height
from legr.study.store import Study
from legr.study.supernets import points_by_network, supernets
from legr.training.supernet_settings import SupernetSettings
from tests.cli.processes import called
from tests.commands.supernet_study import with_supernet
from tests.nets import N_UNITS, Chain, example, make

CPU, HALF = torch.device("cpu"), Budget(macs=0.5)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(made_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = SupernetSettings(epochs=1, batch=128, smallest=0.4, networks=1, norms=2, sizes=(32, 24))
    return with_supernet(made_study, tmp_path_factory.mktemp("heights") / "study", settings, 3)


@pytest.fixture
def study(trained: Path, tmp_path: Path, own_folders: Path) -> Study:
    shutil.copytree(trained, tmp_path / "study")
    return Study.open(tmp_path / "study")


def test_heights_that_a_network_cannot_take_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"size must be a height of images that the network can take, got 5 \("):
        require_heights(Chain(), (3, 8, 8), (8, 5))
    with pytest.raises(SettingsError, match="size must be in"):
        require_heights(Chain(), (3, 8, 8), (0,))
    require_heights(build_model("cifar_resnet8", 10), (3, 32, 32), (32, 20))


def test_macs_are_counted_for_other_images(study: Study) -> None:
    network = network_at(study, original(study), HALF)
    size = cost(study.structure, network.keep)
    assert macs_of(network.model, study.structure, size, (3, 32, 32)) == size.macs == network.macs
    small = network_at(study, original(study), HALF, height=16)
    assert small.macs == count(network.model, torch.zeros(1, 3, 16, 16)).macs < 0.26 * size.macs
    assert small.macs_fraction == network.macs_fraction
    assert network_at(study, original(study), HALF, height=32).height is None


def test_a_supernet_is_measured_with_every_size(study: Study) -> None:
    (run,) = supernets(study)
    assert {point.side for point in run.points} == {32, 24}
    own, small = points_by_network(run, 32), points_by_network(run, 24)
    assert own.keys() == small.keys()
    for name, point in list(small.items())[1:]:
        budget = Budget(macs=point.macs_fraction)
        found = evaluate(study, budget, None, True, CPU, silent, height=24)
        assert (found.top1, found.macs) == (point.top1, point.macs) and found.supernet == run.key
        assert 0.5 < point.macs / own[name].macs < 0.6  # 24 x 24 pixels of 32 x 32


def test_a_network_without_a_supernet_is_evaluated_too(study: Study) -> None:
    whole = network_at(study, original(study), Budget(macs=1.0), height=20)
    assert not whole.is_original  # its batch norms see other values
    images = images_of(study)
    assert images.at_height(20).test.images.shape[2:] == (20, 20) and images.at_height(32) is images
    reported = choose_statistics(study, whole, images, CPU)
    assert reported.height == 20 and reported.macs == whole.macs
    found = evaluate(study, Budget(macs=0.7), None, False, CPU, silent, height=20)
    assert found.supernet == "" and found.images == 359


def test_an_export_takes_images_of_its_height(study: Study, tmp_path: Path) -> None:
    (run,) = supernets(study)
    budget = Budget(macs=run.points[-1].macs_fraction)
    result = export(study, ExportRequest(budget, tmp_path / "out", size=24), silent)
    point = points_by_network(run, 24)[run.points[-1].keep_id]
    assert (result.macs, result.top1_agreement) == (point.macs, 1.0)
    assert result.accuracy is not None and result.accuracy.top1 == point.top1
    assert result.accuracy.words.endswith("top-1 on the test images with images scaled to a height of 24.")
    session = onnxruntime.InferenceSession(result.onnx)
    (fed,) = session.get_inputs()
    assert fed.shape == [1, 3, 24, 24]
    assert session.run(None, {fed.name: np.zeros((1, 3, 24, 24), np.float32)})[0].shape == (1, 10)
    about = json.loads((tmp_path / "out" / "input.json").read_text(encoding="utf-8"))
    assert about["shape"] == [1, 3, 24, 24]
    pruned = export(study, ExportRequest(budget, tmp_path / "cut", size=24, finetuned=False), silent)
    assert pruned.accuracy is not None
    assert pruned.accuracy.words == "Its accuracy with images scaled to a height of 24 was not measured."


def test_an_export_of_the_command_line_has_the_weights_that_evaluate_uses(
    study: Study, tmp_path: Path, without_onnx: None
) -> None:
    (run,) = supernets(study)
    for size, supernet in ((24, run.key), (20, None)):  # it was trained at 24
        out = tmp_path / str(size)
        found, _ = called("export", "--study", study.path, "--macs", 1, "--size", size, "--out", out, "--json")
        assert found.get("supernet") == supernet


@pytest.mark.parametrize("kind", [kind for kind in N_UNITS if kind is not Chain], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("size", [5, 12])
def test_costs_of_every_kept_set_are_known_for_images_of_another_size(kind: type[nn.Module], size: int) -> None:
    model = make(kind).eval()
    structure = trace(model, example())
    macs = macs_of_operations(model, structure, (3, size, size))
    assert macs is not None
    other = replace(structure, ops=tuple(replace(op, macs=n) for op, n in zip(structure.ops, macs, strict=True)))
    for keep in lopsided_kept_sets(structure):
        assert cost(other, keep).macs == count(prune(model, structure, keep), example(size)).macs


@pytest.mark.parametrize("name", ["cifar_resnet8", "cifar_mobilenet_v2"])
def test_costs_of_library_networks_are_known_for_images_of_another_size(name: str) -> None:
    model = build_model(name, 10).eval()
    structure = trace(model, torch.zeros(1, 3, 32, 32))
    macs = macs_of_operations(model, structure, (3, 24, 24))
    assert macs is not None
    other = replace(structure, ops=tuple(replace(op, macs=n) for op, n in zip(structure.ops, macs, strict=True)))
    gone = Keep(np.ones(structure.n_units, dtype=bool))
    gone.units[structure.branches[-1].units] = False  # a block that has left whole
    for keep in (gone, *islice(lopsided_kept_sets(structure), 1)):
        assert cost(other, keep).macs == count(prune(model, structure, keep), torch.zeros(1, 3, 24, 24)).macs


def test_a_size_at_which_the_network_does_other_things_has_no_costs() -> None:
    class Branching(nn.Module):
        """Large images go through one layer more."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x).relu()
            return (self.second(x) if x.shape[-1] > 6 else x).mean((2, 3))

    model = Branching().eval()
    structure = trace(model, torch.zeros(1, 3, 8, 8))
    assert macs_of_operations(model, structure, (3, 5, 5)) is None
    assert macs_of_operations(model, structure, (3, 7, 7)) is not None
    chain = make(Chain).eval()  # takes images of one size alone
    assert macs_of_operations(chain, trace(chain, example()), (3, 12, 12)) is None


def test_a_supernet_notes_what_its_sizes_cost(study: Study) -> None:
    (run,) = supernets(study)
    known = structures_by_height(study)
    assert list(known) == [32, 24] and known[32] is study.structure
    for point in run.points:
        keep = study.curve().at(macs=point.macs_fraction)
        assert cost(known[point.side], keep).macs == point.macs


def test_a_network_of_other_images_is_compared_with_the_original_of_its_own(study: Study) -> None:
    request, own = CompareRequest(HALF, size=24), CompareRequest(HALF)
    found = compare(study, request, CPU, silent)
    (run,) = supernets(study)
    assert (found.height, found.supernet, found.images) == (24, run.key, 359)
    assert found.top1 == pytest.approx(evaluate(study, HALF, None, True, CPU, silent, height=24).top1, abs=1e-12)
    assert found.top1_original == pytest.approx(
        evaluate(study, Budget(macs=1.0), None, True, CPU, silent).top1, abs=1e-12
    )
    assert stored_comparison(study, request) == found and stored_comparison(study, own) is None
    assert stored_comparison(study, replace(request, size=20)) is None
    assert [network.height for network in list_compared(study)] == [24]
    usual = compare(study, own, CPU, silent)
    assert usual.height is None and usual.top1_original == found.top1_original
    assert stored_comparison(study, replace(own, size=32)) == usual  # the study's own
    comparison = load_comparison(study, found.comparison)
    assert comparison is not None and comparison.pictures.shape[2:] == (32, 32)  # as the data set has them


def test_the_whole_network_of_other_images_is_not_the_original(study: Study) -> None:
    whole = compare(study, CompareRequest(Budget(macs=1.0), finetuned=False, size=16), CPU, silent)
    assert (whole.height, whole.recalibrated) == (16, True)
    assert whole.top1 == evaluate(study, Budget(macs=1.0), None, False, CPU, silent, height=16).top1


def size_of(picture: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(picture))).size


def test_an_image_is_shown_to_each_network_at_its_size(study: Study, tmp_path: Path) -> None:
    found = compare(study, CompareRequest(HALF, size=24), CPU, silent)
    comparison = load_comparison(study, found.comparison)
    assert comparison is not None
    for row in (0, 17, 200):
        seen = look(study, LookRequest(HALF, size=24), NumberedTestImage(row + 1), silent)
        assert seen.pruned[0].index == comparison.pruned.first[row]
        assert seen.pruned[0].probability == pytest.approx(comparison.pruned.probabilities[row, 0], abs=1e-5)
        assert seen.original[0].probability == pytest.approx(comparison.original.probabilities[row, 0], abs=1e-5)
        assert seen.height == 24 and seen.preparation.endswith("scaled to 24 x 24")
        assert size_of(seen.network_input) == (24, 24)
    Image.new("RGB", (100, 60), "white").save(tmp_path / "white.png")
    file = look(study, LookRequest(HALF, size=24), tmp_path / "white.png", silent)
    assert size_of(file.network_input) == (24, 24)
    assert file.original == look(study, LookRequest(HALF), tmp_path / "white.png", silent).original


def test_a_size_of_pictures_that_is_none_is_one_sentence(study: Study) -> None:
    for run in (
        lambda: look(study, LookRequest(HALF, size=0), NumberedTestImage(1), silent),
        lambda: compare(study, CompareRequest(HALF, size=0), CPU, silent),
    ):
        with pytest.raises(SettingsError, match=r"size must be in \[1, 4096\], got 0"):
            run()
