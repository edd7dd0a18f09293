"""Budgets in milliseconds and frames a second of a device, on the command line and in what is stored."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from legr.commands.learn import search_task
from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import Constraints
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.requests.learn import LearnRequest
from legr.requests.train import FinetuneRequest
from legr.study.records import FineTuned
from legr.study.store import Study, keep_id
from legr.training.settings import TrainSettings
from tests.cli.processes import called, refused
from tests.ranking.devices import Lanes
from tests.study.device_by_hand import store_profile

ON = ("--device-profile", "board")


@pytest.fixture
def study(study_path: Path) -> Study:
    opened = Study.open(study_path)
    store_profile(opened)
    return opened


def test_the_network_of_so_many_milliseconds(study: Study) -> None:
    whole = called("show", "--study", study.path, *ON, "--json")[0]
    limit = 0.6 * whole["latency_ms"]
    assert whole["latency_ms"] == whole["original_latency_ms"]
    found = called("show", "--study", study.path, "--ms", limit, *ON, "--json")[0]
    curve = BudgetCurve(study.structure, study.ranking(), Lanes(study.structure))  # the same device by other means
    assert found["macs"] == curve.macs[curve.step(latency_ms=limit)]
    assert found["latency_ms"] == pytest.approx(curve.latency[curve.step(latency_ms=limit)])
    assert found["device_profile"] == "board" and found["floors"]["latency"] == pytest.approx(curve.floors["latency"])
    frames = called("show", "--study", study.path, "--fps", 1000 / limit, *ON, "--json")[0]
    share = called("show", "--study", study.path, "--latency", 0.6, *ON, "--json")[0]
    assert frames["macs"] == share["macs"] == found["macs"]
    words = called("show", "--study", study.path, "--ms", limit, *ON)[0]
    assert f"{found['latency_ms']:.4g} of {whole['latency_ms']:.4g} ms predicted on board" in words


def test_macs_on_a_device_lead_to_a_network_that_pays_there(study: Study) -> None:
    plain = called("show", "--study", study.path, "--macs", 0.93, "--json")[0]
    paying = called("show", "--study", study.path, "--macs", 0.93, *ON, "--json")[0]
    assert paying["latency_ms"] < paying["original_latency_ms"]
    assert paying["macs"] < plain["macs"] <= 0.93 * plain["dense_macs"]
    assert plain["latency_ms"] is None and "latency" not in plain["floors"]


def test_the_shape_says_what_is_reached_there(study: Study) -> None:
    reached = called("shape", "--study", study.path, *ON, "--json")[0]
    curve = study.curve(budget=Budget(macs=1.0, device_profile="board"))
    assert reached["least"]["latency_ms"] == pytest.approx(curve.latency[-1])
    assert reached["largest"]["latency_ms"] == curve.original.latency_ms
    assert f"% of the latency ({curve.latency[-1]:.4g} ms)" in called("shape", "--study", study.path, *ON)[0]


def test_mistakes_are_one_sentence(study: Study) -> None:
    show = ("show", "--study", study.path)
    for arguments, words in (
        ((*show, "--ms", 4), "a budget of 4 ms depends on the device; give --device-profile board"),
        ((*show, "--fps", 4, "--macs", 0.5), "4 frames a second depends on the device; give --device-profile board"),
        ((*show, "--ms", 4, "--device-profile", "bord"), "no profile 'bord': there are board"),
        ((*show, "--ms", 4, "--device-profile", "../board"), "no profile '../board'"),
        ((*show, "--ms", 1e-4, *ON), "a budget of 0.0001 ms is below the floor of "),
        ((*show, "--fps", 1e8, *ON), "a budget of 1e+08 frames a second is above the most that is reached, "),
        ((*show, "--ms", 0, *ON), "a budget in ms must be in (0, 1000000000], got 0"),
        (("finetune", "--study", study.path, *ON), "finetune needs a budget: give one or more of --macs"),
        (("learn", "--study", study.path, "--cost", "latency"), "latency depends on the device; give --device-profile"),
        (("learn", "--study", study.path, "--cost", "latency", "--device-profile", "x"), "no profile 'x'"),
        (("learn", "--study", study.path, *ON), "MACs are the same on every device; give --cost latency"),
    ):
        assert words in refused(*arguments), arguments
    (study.path / "profiles" / "board.json").unlink()
    assert "measure one with `python -m legr profile --study" in refused(*show, "--ms", 4)


def test_a_profile_of_another_network_is_refused(study: Study) -> None:
    path = study.path / "profiles" / "board.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "network": "0123456789abcdef"}))
    assert "is of another network" in refused("show", "--study", study.path, "--ms", 4, *ON)


def test_an_export_is_of_that_network(study: Study, tmp_path: Path, without_onnx: None) -> None:
    out = tmp_path / "out"
    called("export", "--study", study.path, "--latency", 0.6, *ON, "--out", out, "--json")
    budget = Budget(latency=0.6, device_profile="board")
    cost = study.curve(budget=budget).macs[study.curve(budget=budget).step(budget)]
    assert json.loads((out / "recipe.json").read_text())["macs"] == cost


def test_what_a_run_was_asked_for_is_read_back(study: Study) -> None:
    budget = Budget(latency_ms=0.5, macs=0.9, device_profile="board")
    request = FinetuneRequest.for_settings(budget, TrainSettings())
    command = ["finetune", "--study", "s", *request.full_arguments()]
    assert command[3:9] == ["--macs", "0.9", "--ms", "0.5", *ON]
    run = FineTuned(
        "k", keep_id(study.curve(budget=budget).at(macs=0.9)), 0.5, None, 0.1, 0.2, 0.2, 1, 1.0, budget=budget
    )
    data = run.to_dict()
    assert data["budget"] == {"macs": 0.9, "latency_ms": 0.5, "device_profile": "board"}
    assert FineTuned.from_dict(data).budget == budget
    made = replace(run.provenance, command=" ".join(["python -m legr", *command]))
    del data["half"]  # an earlier version noted the budget in the command alone
    assert FineTuned.from_dict({**data, "budget": None, "made": made.to_dict()}).budget == budget
    assert budget.words == "90 % of the MACs and 0.5 ms on board"


def test_the_folder_of_an_export_names_the_device() -> None:
    request = ExportRequest(Budget(latency_ms=4, device_profile="../b"), Path())
    assert request.folder_name == "latency-ms-4-on----b"


def test_a_ranking_is_learned_for_a_device(study: Study) -> None:
    learn = ("learn", "--study", study.path, "--device", "cpu", "--no-measure", "--json")
    told = ("--cost", "latency", *ON, "--images", 32, "--option", "images=16", "--option", "stride=1")
    found = called(*learn, *told, "--candidates", 6)[0]
    before = Study.open(study.path).map_of("learned")
    learned = Study.open(study.path).map_of("learned-ms")
    assert learned and found["candidates"] == learned.candidates
    assert (learned.settings.cost, learned.settings.device_profile) == ("latency", "board")
    assert len(learned.settings.profile_id) == 12
    words = learned.provenance.words
    assert words[words.index("--cost") : words.index("--cost") + 4] == ["--cost", "latency", *ON]
    assert called(*learn, "--candidates", 6)[0]["resumed_from"] == learned.candidates  # it goes on with that search
    store_profile(study, lanes=4)
    assert "the profile of board was measured anew since" in refused(*learn[:-1], "--candidates", 9)
    called(*learn, *told, "--candidates", 3)
    assert Study.open(study.path).map_of("learned-ms") != learned
    assert Study.open(study.path).map_of("learned") == before  # that of MACs stays


def test_candidates_lose_whole_blocks_where_the_networks_of_the_study_may(study: Study) -> None:
    on_board = LearnRequest(cost="latency", device_profile="board")
    assert not search_task(study, on_board).settings.blocks
    study.save_constraints(Constraints(blocks=True))
    assert search_task(study, on_board).settings.blocks
    assert not search_task(study, replace(on_board, blocks=False)).settings.blocks
    told = LearnRequest.for_settings(search_task(study, replace(on_board, blocks=False)).settings, 9)
    assert not search_task(study, LearnRequest.from_arguments(told.arguments())).settings.blocks
