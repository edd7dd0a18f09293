"""Requests: what is written, on a command line or in a file, is read back as it was."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from legr.cli import cli
from legr.errors import SettingsError
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.requests.learn import LearnRequest, NewStudyRequest
from legr.requests.measure import CompareRequest, MeasureRequest
from legr.requests.options import Request
from legr.requests.report import PointsRequest, ReportRequest
from legr.requests.train import FinetuneRequest, TrainRequest
from legr.training.settings import RECIPES, settings_of_recipe

HALF = Budget(macs=0.5)
REQUESTS: list[tuple[Request, list[str], dict[str, Any]]] = [
    (LearnRequest(), [], {}),
    (LearnRequest(budgets=(), measure=True), ["--budgets", "all", "--measure"], {"budgets": [], "measure": True}),
    (
        LearnRequest(budgets=(0.3, 0.5), options={"rate": 0.1}, workers=2),
        ["--budgets", "0.3,0.5", "--option", "rate=0.1", "--workers", "2"],
        {"budgets": [0.3, 0.5], "options": {"rate": 0.1}, "workers": 2},
    ),
    (MeasureRequest(again=True, threads=2), ["--threads", "2", "--again"], {"again": True, "threads": 2}),
    (
        FinetuneRequest(Budget(params=0.5, weight_mb=0.25), distill=False, network="ab12"),
        ["--params", "0.5", "--weight-mb", "0.25", "--no-distill", "--network", "ab12"],
        {"budget": {"params": 0.5, "weight_mb": 0.25}, "distill": False, "network": "ab12"},
    ),
    (ExportRequest(HALF, Path("/a b")), ["--macs", "0.5", "--out", "/a b"], {"budget": {"macs": 0.5}, "out": "/a b"}),
    (
        ReportRequest(HALF, Path("r.html"), "uniform", replace=True),
        ["--macs", "0.5", "--out", "r.html", "--ranking", "uniform", "--replace"],
        {"budget": {"macs": 0.5}, "out": "r.html", "ranking": "uniform", "replace": True},
    ),
    (
        CompareRequest(Budget(fps=250, macs=0.5, device_profile="pi")),
        ["--macs", "0.5", "--fps", "250", "--device-profile", "pi"],
        {"budget": {"macs": 0.5, "fps": 250, "device_profile": "pi"}},
    ),
    (
        LearnRequest(cost="latency", device_profile="pi"),
        ["--cost", "latency", "--device-profile", "pi"],
        {"cost": "latency", "device_profile": "pi"},
    ),
    (PointsRequest(Path("p.csv")), ["--out", "p.csv"], {"out": "p.csv"}),
    (
        CompareRequest(HALF, "uniform", finetuned=False),
        ["--macs", "0.5", "--ranking", "uniform", "--no-finetuned"],
        {"budget": {"macs": 0.5}, "ranking": "uniform", "finetuned": False},
    ),
    (NewStudyRequest(classes=("cat", "dog")), ["--classes", "cat", "--classes", "dog"], {"classes": ["cat", "dog"]}),
    (TrainRequest(Path("w"), epochs=2), ["--out", "w", "--epochs", "2"], {"out": "w", "epochs": 2}),
]


@pytest.mark.parametrize(("request_", "arguments", "data"), REQUESTS)
def test_a_request_is_read_back_as_it_was(request_: Request, arguments: list[str], data: dict[str, Any]) -> None:
    assert request_.arguments() == arguments
    assert request_.to_dict() == data
    assert type(request_).from_arguments(arguments) == request_ == type(request_).from_dict(data)


@pytest.mark.parametrize(
    ("request_type", "data", "said"),
    [
        (LearnRequest, {"seed": "1"}, "seed cannot be read .a whole number is needed, got '1'"),
        (LearnRequest, {"measure": 1}, "measure cannot be read .true or false is needed"),
        (LearnRequest, {"budgets": 0.3}, "a list is needed"),
        (LearnRequest, {"options": {"rate": float("nan")}}, "a finite number is needed"),
        (CompareRequest, {"budget": {"macs": 2.0}}, r"in \(0, 1\], got 2.0"),
        (CompareRequest, {"budget": {"cost": 2.0}}, "there is no quantity 'cost'"),
        (CompareRequest, {"budget": {"macs": 0.5, "device_profile": 3}}, "a text is needed, got 3"),
        (CompareRequest, {"budget": [0.5]}, "limits by name are needed"),
        (LearnRequest, {"cost": "energy"}, "one of macs, latency is needed"),
        (CompareRequest, {"budget": {"macs": 0.5}, "ranking": "mine"}, "one of learned-ms, learned, identity, uniform"),
        (ExportRequest, {"budget": {"macs": 0.5}}, "export needs --out"),
        (ExportRequest, {"out": "x"}, "export needs a budget: give one or more of --macs"),
    ],
)
def test_data_of_another_type_are_refused(request_type: type[Request], data: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        request_type.from_dict(data)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--what", "1"], "learn has no option '--what'"),
        (["--seed"], "--seed needs a value"),
        (["--seed", "one"], "--seed takes a whole number, got 'one'"),
        (["--option", "rate"], "such as mutate=0.2, got 'rate'"),
    ],
)
def test_arguments_that_cannot_be_read_are_refused(arguments: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        LearnRequest.from_arguments(arguments)


def test_settings_are_a_recipe_and_what_differs_from_it() -> None:
    settings = settings_of_recipe("standard", {"seed": 3, "lr": 1 / 30, "distill": False})
    request = FinetuneRequest.for_settings(HALF, settings)
    assert (request.recipe, request.seed, request.distill, request.options) == ("standard", 3, False, {"lr": 1 / 30})
    assert FinetuneRequest.from_arguments(request.arguments()).settings == settings
    assert FinetuneRequest.for_settings(HALF, RECIPES["short"]) == FinetuneRequest(HALF)


def test_a_stored_command_asks_for_the_same_and_states_what_is_default() -> None:
    for distill in (True, False):
        settings = settings_of_recipe("short", {"distill": distill})
        full = FinetuneRequest.for_settings(HALF, settings, "learned").full_arguments()
        assert FinetuneRequest.from_arguments(full).settings == settings
        assert ("--no-distill" in full) != distill
        assert full[:4] == ["--macs", "0.5", "--recipe", "short"] and "--no-half" not in full and "--device" not in full
    assert "--no-finetuned" in CompareRequest(HALF, finetuned=False).full_arguments()


def test_every_command_shows_its_options_and_hides_those_of_the_program() -> None:
    pages = {name: CliRunner().invoke(cli, [name, "--help"]).output for name in ("learn", "finetune", "export", "new")}
    for name, options in {
        "learn": ("--budgets", "--option", "--measure", "--no-measure", "--classes", "--workers"),
        "finetune": ("--macs", "--activation-mb", "--distill", "--no-distill", "--half", "--ranking"),
        "export": ("--out", "--params"),
        "new": ("--input", "--recipe", "--normalize"),
    }.items():
        assert [option for option in options if option not in pages[name]] == []
    assert not any(hidden in page for page in pages.values() for hidden in ("--network", "--job ", "--no-half"))
