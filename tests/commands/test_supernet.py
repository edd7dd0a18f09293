"""A supernet of a study: its points are what `evaluate` finds, its networks are exported, and it follows one order."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from legr.commands import supernet as supernet_module
from legr.commands import supernet_points
from legr.commands.compare import compare, stored_comparison
from legr.commands.evaluate import evaluate
from legr.commands.export import export
from legr.commands.finetune import Tuning, finished_finetune, run_finetune
from legr.commands.network import network_at
from legr.commands.original import original
from legr.commands.statistics_cache import recall_statistics
from legr.commands.supernet import finished_supernet, run_supernet
from legr.commands.supernet_points import keeps_along, keeps_between
from legr.errors import DataError, SettingsError, StudyError
from legr.progress import Progress, silent
from legr.ranking.constraints import Constraints
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.requests.measure import CompareRequest
from legr.requests.supernet import SupernetRequest
from legr.structure.cost import cost
from legr.study.accuracy import accuracy_of
from legr.study.known import known_networks
from legr.study.store import Study, keep_id
from legr.study.supernets import read_supernets, supernet_of, supernets
from legr.study.trained import chosen_network
from legr.training.settings import TrainSettings
from legr.training.supernet_settings import SupernetSettings
from tests.commands.supernet_study import with_supernet

CPU = torch.device("cpu")
SETTINGS = SupernetSettings(epochs=1, batch=128, smallest=0.3, networks=1, norms=2, average=0.9)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained_study(made_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_supernet(made_study, tmp_path_factory.mktemp("supernet") / "study", SETTINGS, 5)


@pytest.fixture
def study(trained_study: Path, tmp_path: Path, own_folders: Path) -> Study:
    shutil.copytree(trained_study, tmp_path / "study")
    return Study.open(tmp_path / "study")


def test_its_points_are_what_evaluate_finds(study: Study) -> None:
    (run,) = supernets(study)
    shares = [point.macs_fraction for point in run.points]
    assert shares[0] == 1 and shares == sorted(shares, reverse=True) and 0.28 < shares[-1] == run.smallest <= 0.3
    assert len(run.points) == 5 and {point.side for point in run.points} == {32}
    assert all(point.heldout_top1 is not None for point in run.points)
    assert all(point.heldout_top1 is None for point in run.between)
    for point in run.points[1:4]:
        found = evaluate(study, Budget(macs=point.macs_fraction), None, True, CPU, silent)
        assert (found.top1, found.macs, found.params) == (point.top1, point.macs, point.params)
        assert found.supernet == run.key and found.recalibrated and not found.finetuned
    pruned = evaluate(study, Budget(macs=0.5), None, False, CPU, silent)
    assert pruned.supernet == ""


def test_networks_between_its_points_are_measured_too(study: Study) -> None:
    (run,) = supernets(study)
    own = {point.keep_id for point in run.points}
    assert 4 <= len(run.between) <= supernet_points.BETWEEN
    assert not own & {point.keep_id for point in run.between} and {point.side for point in run.between} == {32}
    assert all(run.smallest < point.macs_fraction < 1 for point in run.between)
    point = run.between[-1]
    found = evaluate(study, Budget(macs=point.macs_fraction), None, True, CPU, silent)
    assert (found.top1, found.macs, found.supernet) == (point.top1, point.macs, run.key)
    statistics = load_file(study.path / "supernets" / f"{run.key}-statistics.safetensors")
    assert {name.partition("@")[0] for name in statistics} == own
    path = study.path / "supernets" / f"{run.key}.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({key: value for key, value in record.items() if key != "between"}), encoding="utf-8")
    assert supernets(study) == [replace(run, between=())]  # of an earlier version
    again = finished_supernet(study, SETTINGS)
    assert again is not None and again.points == run.points and again.between == ()


def test_networks_between_others_are_of_every_part_of_the_scale(study: Study) -> None:
    curve = study.curve()
    along = list(keeps_along(curve, 0.3, 5))
    found = list(keeps_between(curve, 0.3, along, seed=0))
    macs = [int(cost(study.structure, keep).macs) for keep in found]
    assert macs == sorted(macs, reverse=True) and len(set(macs)) == len(macs)
    assert 4 <= len(macs) <= supernet_points.BETWEEN  # steps of this curve are coarse
    assert not {keep_id(keep) for keep in found} & {keep_id(keep) for keep in along}
    whole = curve.original.macs
    assert macs[0] > 0.3**0.25 * whole and macs[-1] < 0.3**0.75 * whole
    other = [keep_id(keep) for keep in keeps_between(curve, 0.3, along, seed=1)]
    assert other != [keep_id(keep) for keep in found]


def test_a_network_of_its_points_needs_no_images_and_others_do(study: Study) -> None:
    def no_images() -> None:
        raise DataError("the images of this study are not here")

    (run,) = supernets(study)
    point, statistics = run.points[3], load_file(study.path / "supernets" / f"{run.key}-statistics.safetensors")
    network = network_at(study, original(study), Budget(macs=point.macs_fraction))
    known = recall_statistics(study, network, no_images, CPU)  # type: ignore[arg-type]
    assert known.recalibrated
    for name, value in known.model.state_dict().items():
        if "running" in name:
            assert torch.equal(value, statistics[f"{network.keep_id}@32/{name}"])
    between = network_at(study, original(study), Budget(macs=(point.macs_fraction + run.points[2].macs_fraction) / 2))
    assert between.supernet == run and between.keep_id not in {point.keep_id for point in run.points}
    with pytest.raises(DataError, match=rf"are not here; without images .* 100.0, .*{100 * point.macs_fraction:.1f}"):
        recall_statistics(study, between, no_images, CPU)  # type: ignore[arg-type]


def test_a_network_between_its_points_is_exported_and_compared(study: Study, tmp_path: Path) -> None:
    (run,) = supernets(study)
    budget = Budget(macs=(run.points[2].macs_fraction + run.points[3].macs_fraction) / 2)
    result = export(study, ExportRequest(budget, tmp_path / "out", batch="dynamic"), silent)
    assert result.supernet == run.key and not result.finetuned and result.top1_agreement == 1
    assert result.accuracy is not None and result.accuracy.shared and result.accuracy.top1 is None
    assert result.accuracy.between == (run.points[3].top1, run.points[2].top1)
    assert "Trained together with all budgets" in (tmp_path / "out" / "README.txt").read_text(encoding="utf-8")
    compared = compare(study, CompareRequest(budget), CPU, silent)
    assert compared.supernet == run.key and stored_comparison(study, CompareRequest(budget)) == compared
    assert stored_comparison(study, CompareRequest(budget, finetuned=False)) is None  # as pruned it is another network


def test_the_whole_network_and_those_below_the_smallest_are_not_of_it(study: Study) -> None:
    (run,) = supernets(study)
    for share, key in ((1.0, ""), (0.5, run.key), (0.2, "")):
        assert network_at(study, original(study), Budget(macs=share)).supernet_key == key
    with pytest.raises(StudyError, match="has not trained this network"):
        network_at(study, original(study), Budget(macs=0.2), run=run.key)


def test_a_fine_tuned_network_goes_before_and_the_supernet_is_had_by_its_key(study: Study) -> None:
    (run,), half = supernets(study), Budget(macs=0.5)
    run_finetune(study, half, Tuning(TrainSettings(epochs=1)), CPU, silent)
    network = network_at(study, original(study), half)
    assert network.run is not None and network.supernet is None and network.weights == "fine-tuned"
    by_key = network_at(study, original(study), half, run=run.key)
    assert by_key.supernet == run and by_key.weights == "shared" and by_key.keep_id == network.keep_id
    assert chosen_network(study, half, trained=False).run is None


def test_fine_tuning_begins_with_shared_weights_where_there_are_some(study: Study) -> None:
    (run,), half, settings = supernets(study), Budget(macs=0.5), TrainSettings(epochs=1, lr=0.001)
    shared = evaluate(study, half, None, True, CPU, silent)
    cut = evaluate(study, half, None, False, CPU, silent)
    polished = run_finetune(study, half, Tuning(settings), CPU, silent)
    assert polished.top1_before == shared.top1 != cut.top1
    assert finished_finetune(study, half, Tuning(settings, start="pruned")) is None  # another run
    run_finetune(study, half, Tuning(settings, start="pruned"), CPU, silent)
    by_start = {one.supernet: one for one in study.finetuned}
    assert by_start.keys() == {run.key, ""} and by_start[""].top1_before == cut.top1
    known = known_networks(study.points, study.finetuned)[by_start[""].keep_id]
    assert known.top1_before == cut.top1  # of the original's weights
    assert "--start shared" in by_start[run.key].provenance.command
    with pytest.raises(StudyError, match="has no supernet of the uniform ranking"):
        run_finetune(study, half, Tuning(settings, "uniform", start="shared"), CPU, silent)


def test_it_belongs_to_the_order_that_it_was_trained_along(study: Study) -> None:
    (run,), ranking = supernets(study), study.default_ranking
    assert supernet_of(study, ranking) == run
    study.save_constraints(Constraints(multiple=4))
    assert supernet_of(study, ranking) is None and supernets(study) == [run]  # it is kept
    assert network_at(study, original(study), Budget(macs=0.5)).supernet is None
    with pytest.raises(StudyError, match="follows another order"):
        network_at(study, original(study), Budget(macs=0.5), run=run.key)
    study.save_constraints(Constraints())
    assert supernet_of(study, ranking) == run


def test_a_finished_one_returns_at_once_and_other_settings_are_another(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = supernets(study)
    monkeypatch.setattr(supernet_module, "original", lambda study: pytest.fail("it was loaded"))
    assert run_supernet(study, SETTINGS, CPU, silent).points == run.points
    assert finished_supernet(study, replace(SETTINGS, seed=1)) is None
    assert finished_supernet(study, SETTINGS, half=True) is None
    assert finished_supernet(study, SETTINGS, "uniform") is None


def test_interrupted_anywhere_it_ends_the_same(
    made_study: Path, trained_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supernet_points, "MEASURED", 5)
    shutil.copytree(made_study, tmp_path / "study")
    study = Study.open(tmp_path / "study")

    def stop_at(stage: str, done: int) -> Callable[[Progress], None]:
        def report(progress: Progress) -> None:
            if (progress.stage, progress.done) == (stage, done):
                raise KeyboardInterrupt

        return report

    for stage, done in (("epoch", 1), ("network", 2)):
        with pytest.raises(KeyboardInterrupt):
            run_supernet(study, SETTINGS, CPU, stop_at(stage, done))
        assert supernets(study) == [] and list((study.path / "checkpoints").iterdir())
    run_supernet(study, SETTINGS, CPU, silent)
    (run,), (expected,) = supernets(study), supernets(Study.open(trained_study))
    assert run.points == expected.points and not list((study.path / "checkpoints").iterdir())
    for name in (f"{run.key}.safetensors", f"{run.key}-statistics.safetensors"):
        found, wanted = (load_file(path / "supernets" / name) for path in (study.path, trained_study))
        assert found.keys() == wanted.keys() and all(torch.equal(found[key], wanted[key]) for key in found)


def test_a_damaged_record_or_weights_of_another_run_are_one_sentence(study: Study) -> None:
    (run,) = supernets(study)
    path = study.path / "supernets" / f"{run.key}.json"
    content = path.read_text(encoding="utf-8")
    path.write_text(content[:100], encoding="utf-8")
    runs, damaged = read_supernets(study.path)
    assert runs == [] and len(damaged) == 1 and f"supernets/{run.key}.json cannot be read" in damaged[0]
    record = json.loads(content)
    path.write_text(json.dumps(record | {"settings": {"a": 1}}), encoding="utf-8")
    with pytest.raises(StudyError, match="was trained by another version"):
        network_at(study, original(study), Budget(macs=0.5))
    record["made"]["seconds"] = 1.0
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(StudyError, match="weights of another run"):
        network_at(study, original(study), Budget(macs=0.5))


def test_networks_along_a_ranking_are_measured_once(study: Study) -> None:
    curve = study.curve()
    assert len({keep_id(keep) for keep in keeps_along(curve, 0.3, 400)}) == len(list(keeps_along(curve, 0.3, 400)))
    assert [keep_id(keep) for keep in keeps_along(curve, 1.0, 5)] == [keep_id(curve.keep(0))]


def test_a_request_is_what_its_settings_say() -> None:
    settings = SupernetSettings(epochs=3, smallest=0.2, sizes=(32, 24), norms=4, lr=0.1, whole_every=3)
    request = SupernetRequest.for_settings(settings, "uniform", half=True)
    assert request.settings == settings and SupernetRequest.from_dict(request.to_dict()) == request
    assert SupernetRequest.from_arguments(request.full_arguments()) == request
    with pytest.raises(SettingsError, match="whole_every must be a whole number"):
        _ = SupernetRequest(options={"whole_every": 1.5}).settings
    with pytest.raises(SettingsError, match="--option sets one of networks"):
        _ = SupernetRequest(options={"width": 1.0}).settings


def test_accuracy_of_a_network_of_it_in_words(study: Study) -> None:
    (run,) = supernets(study)
    run = replace(run, points=tuple(replace(p, top1=0.9 - n / 100) for n, p in enumerate(run.points)))
    point = run.points[2]
    known = accuracy_of({}, point.keep_id, point.macs_fraction, run, "identity")
    assert known.words == "Trained together with all budgets: 88.0 % top-1 on the test images."
    between = accuracy_of({}, "another", point.macs_fraction + 0.001, run, "identity").words
    assert "those of the measured networks around it are 88.0 % and 89.0 %" in between
    outside = accuracy_of({}, "another", 0.01, run, "identity").words
    assert outside == "Trained together with all budgets: its top-1 was not measured."
