"""Every number that a command takes has a range: shown by --help, and kept in one sentence within a second."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup, TyperOption

from legr.bounds import Bounds
from legr.cli import cli
from legr.errors import SettingsError
from legr.ranking.limits import QUANTITIES, Budget
from legr.requests.forms import Fractions, Scalar
from legr.requests.jobs import JOB_REQUESTS
from legr.requests.learn import LearnRequest, NewStudyRequest
from legr.requests.measure import MeasureRequest
from legr.requests.options import options_of
from legr.requests.ranges import BATCH, FRACTION, LONGEST_TEXT, MOST_VALUES
from legr.requests.train import TrainRequest
from tests.cli.processes import refused

_WORDS = ("must be in", "Invalid value for", "takes fractions", " in (0, 1]")


def numeric_options() -> Iterator[tuple[str, TyperOption]]:
    group = typer.main.get_command(cli)
    assert isinstance(group, TyperGroup)
    for name, command in group.commands.items():
        for parameter in command.params:
            if isinstance(parameter, TyperOption) and parameter.bare_type() in ("int", "float"):
                yield name, parameter


NUMERIC = list(numeric_options())


def test_there_are_some() -> None:
    named = {(command, option.opts[0]) for command, option in NUMERIC}
    assert {("measure", "--threads"), ("look", "--test-image"), ("shape", "--multiple"), ("app", "--port")} <= named


@pytest.mark.parametrize(("command", "option"), NUMERIC, ids=lambda of: of if isinstance(of, str) else of.opts[0])
def test_a_number_out_of_its_range_is_refused(command: str, option: TyperOption, tmp_path: Path) -> None:
    assert option.help is not None
    assert any(f" In {sign}" in option.help for sign in "[("), f"{option.opts[0]} has no range"
    low, high = option.help.rpartition(" In ")[2].strip("[](.)").removesuffix(" [required]").split(", ")
    needed: list[object] = []
    for other in typer.main.get_command(cli).commands[command].params:  # type: ignore[attr-defined]
        if other.required and other is not option:
            needed += [*([other.opts[0]] if other.opts[0].startswith("-") else []), tmp_path / "x"]
    for wrong in (str(int(float(low)) - 1), f"{int(high.rstrip('].')) + 1}", "9" * 5000, "nan", "1e400", "-inf"):
        said = refused(command, *needed, option.opts[0], wrong).splitlines()
        assert len(said) == 1
        assert any(word in said[0] for word in _WORDS), said
        assert len(said[0]) < 300


def test_every_number_of_a_request_has_a_range() -> None:
    for request in (*JOB_REQUESTS.values(), NewStudyRequest, TrainRequest):
        for option in options_of(request):
            if isinstance(option.form, Fractions) or (
                isinstance(option.form, Scalar) and option.form.kind in (int, float)
            ):
                assert option.shown.bounds, f"{request.command} {option.flag}"


@pytest.mark.parametrize(
    "text", ["0.5,,0.4", "0.5,", ",", "", "0.5;0.4", "nan", "0.5,0", "1e400", "-0.5", "0.5," * 2000]
)
def test_budgets_that_are_none(text: str, tmp_path: Path) -> None:
    said = refused("measure", "--study", tmp_path, "--budgets", text)
    assert any(word in said for word in ("takes fractions separated by commas", "budgets must "))
    assert len(said) < 200


def test_budgets_as_they_may_be_written() -> None:
    for text in ("0.5,0.4", "0.5, 0.4", " 0.5 0.4 "):
        assert MeasureRequest.from_arguments(["--budgets", text]).budgets == (0.5, 0.4)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--batch", "100000000"], r"batch must be in \[1, 4096\], got 100000000"),
        (["--threads", "0"], r"threads must be in \[1, 1024\], got 0"),
        (["--budgets", "0.5,1.5"], r"budgets must be in \(0, 1\], got 1.5"),
    ],
)
def test_jobs_keep_the_same_ranges(arguments: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        MeasureRequest.from_arguments(arguments)


def test_records_of_jobs_keep_them_too() -> None:
    with pytest.raises(SettingsError, match=r"workers must be in \[1, 64\], got 65"):
        LearnRequest.from_dict({"workers": 65})


def test_texts_and_lists_end_somewhere() -> None:
    with pytest.raises(SettingsError, match=f"model must have at most {LONGEST_TEXT} characters, got 60000000"):
        NewStudyRequest.of({"model": "x" * 60_000_000})
    with pytest.raises(SettingsError, match=f"classes must have at most {MOST_VALUES} values, got 1001"):
        NewStudyRequest.of({"classes": ("x",) * 1001})


def test_a_budget_ends_somewhere() -> None:
    for name in QUANTITIES:
        with pytest.raises(Exception, match=r"in \(0, (1|1000000000)\], got 1e\+18"):
            Budget(**{name: 1e18})


def test_bounds() -> None:
    assert [0 in FRACTION, 1e-9 in FRACTION, 1 in FRACTION, float("nan") in FRACTION] == [False, True, True, False]
    assert [0 in BATCH, 1 in BATCH, 4096 in BATCH, 4097 in BATCH] == [False, True, True, False]
    assert str(Bounds(0, 1, above=True)) == "(0, 1]"


def test_a_word_that_is_no_choice_is_named_beside_the_choices(tmp_path: Path) -> None:
    said = refused("measure", "--study", tmp_path, "--runtime", "foo")
    assert said == "Invalid value for '--runtime': 'foo' is not one of 'onnxruntime', 'pytorch'.\n"


@pytest.mark.parametrize("command", ["inspect", "show", "shape", "jobs", "data", "cancel", "evaluate"])
def test_a_long_text_is_refused_by_every_command(command: str, tmp_path: Path) -> None:
    longest, needed = "x" * (LONGEST_TEXT + 1), {"inspect": ["--model"], "cancel": ["x", "--study"]}
    said = refused(command, *needed.get(command, ["--study"]), longest)
    assert said.endswith(f"must have at most {LONGEST_TEXT} characters, got {LONGEST_TEXT + 1}\n")


def test_a_repeated_option_ends_somewhere(tmp_path: Path) -> None:
    said = refused("shape", "--study", tmp_path, *["--exclude", "x"] * (MOST_VALUES + 1))
    assert said == f"exclude must have at most {MOST_VALUES} values, got {MOST_VALUES + 1}\n"


@pytest.mark.parametrize("empty", ["--model", "--weights", "--data"])
def test_an_empty_text_is_as_good_as_none(empty: str, tmp_path: Path) -> None:
    given = {"--model": "cifar_resnet8", "--weights": "none", "--data": "digits"} | {empty: ""}
    said = refused("new", "--study", tmp_path / "s", *(part for pair in given.items() for part in pair))
    assert f"to make one, give {empty}" in said
    if empty != "--weights":
        assert "needs --model and --data" in refused(
            "train", "--out", tmp_path / "w.safetensors", "--model", given["--model"], "--data", given["--data"]
        )


def test_a_path_that_no_study_can_hold_is_refused(study_path: Path, tmp_path: Path) -> None:
    odd = tmp_path / "caf\udce9"
    about = ("--model", "cifar_resnet8", "--weights", "none")
    words = "must be text in UTF-8"
    assert words in refused("new", "--study", odd, *about, "--data", "digits")
    assert words in refused("new", "--study", tmp_path / "s", *about, "--data", odd)
    assert words in refused("data", "--study", study_path, "--folder", odd)
    assert words in refused("export", "--study", study_path, "--macs", 0.5, "--out", odd)


@pytest.mark.parametrize("job", ["\udce9", "a\0b", "../../x", "x" * 300])
def test_a_job_that_cannot_be(job: str, study_path: Path) -> None:
    said = refused("compare", "--study", study_path, "--macs", 0.5, "--job", job)
    assert len(said.splitlines()) == 1
