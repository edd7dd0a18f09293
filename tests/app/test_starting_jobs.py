"""The jobs that buttons start: the requests that a person would type as commands, on a copy of a sample."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
from streamlit.testing.v1 import AppTest

from app.views.new_study import problem_with
from legr.errors import JobError
from legr.requests.job import JobRequest
from legr.requests.jobs import JOB_REQUESTS
from legr.requests.profile import default_name
from legr.study.device_choice import profile_id
from legr.study.pass_times import note_pass_time
from legr.study.records import RankingName, SearchSettings
from legr.study.store import Study, keep_id
from legr.study.supernets import supernets
from tests.app.conftest import OpenApp
from tests.app.demo_study import add_sizes, add_supernet
from tests.app.profiled import EAGER, HERE, add_profile
from tests.app.test_job_panel import write_job

Started = list[tuple[Path, str, list[str]]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    calls: Started = []

    def note(study: Study, request: JobRequest) -> None:
        calls.append((study.path, request.command, request.arguments()))

    monkeypatch.setattr("app.views.job_panel.start", note)
    return calls


def press(at: AppTest, label: str) -> AppTest:
    return next(b for b in at.button if b.label == label).click().run()


def test_learning_with_the_usual_settings(open_app: OpenApp, studies: Path, started: Started) -> None:
    press(open_app("learn", study="plain"), "Start learning")
    first = ["--method", "gradient", "--budgets", "all"]
    assert started == [(studies / "plain", "learn", [*first, "--candidates", "60", "--no-blocks", "--measure"])]


def test_learning_with_whole_blocks(open_app: OpenApp, studies: Path, started: Started) -> None:
    at = open_app("learn", study="plain")
    next(box for box in at.checkbox if box.label == "Let whole blocks leave").check().run()
    press(at, "Start learning")
    assert started[0][2][:5] == ["--method", "gradient", "--budgets", "all", "--candidates"]
    assert "--blocks" in started[0][2]


def test_learning_for_one_budget_by_evolution(open_app: OpenApp, studies: Path, started: Started) -> None:
    at = open_app("learn", study="plain")
    at.segmented_control(key="method").set_value("evolution").run()
    at.segmented_control(key="goal").set_value("One budget").run()
    next(n for n in at.number_input if n.label.startswith("Budget")).set_value(25.0).run()
    press(at, "Start learning")
    first = ["--method", "evolution", "--budgets", "0.25"]
    assert started == [(studies / "plain", "learn", [*first, "--candidates", "400", "--no-blocks", "--measure"])]


def test_learning_at_equal_latency_of_a_device(open_app: OpenApp, studies: Path, started: Started) -> None:
    assert not [box for box in open_app("learn", study="plain").selectbox if box.label.startswith("Compare")]
    add_profile(Study.open(studies / "plain"))
    add_profile(Study.open(studies / "plain"), EAGER, name="eager")
    at = open_app("learn", study="plain")
    runtimes = ["latency on board, ONNX Runtime 1.31", "latency on eager, PyTorch 2.14.1"]
    assert at.selectbox(key="cost-plain").options == ["MACs", *runtimes]
    at.selectbox(key="cost-plain").set_value("board").run()
    at.segmented_control(key="goal").set_value("One budget").run()
    assert "Budget, % of the latency" in [number.label for number in at.number_input]
    press(at, "Start learning")
    (_, command, arguments), cost = started[0], ["--cost", "latency", "--device-profile", "board"]
    assert command == "learn" and [text for text in arguments if text in cost] == cost


def test_the_profile_of_this_machine(open_app: OpenApp, studies: Path, started: Started) -> None:
    press(open_app(), "Predict latency on this device (about 1 min)")
    assert started == [(studies / "demo", "profile", [])]


@pytest.mark.parametrize(
    "other", [{"runtime": "ONNX Runtime 1.2.3"}, {"runtime": "PyTorch 2.14.1"}, {"threads": 2}, {"batch": 8}]
)
def test_a_profile_of_other_conditions_is_not_this_machine_s(
    open_app: OpenApp, studies: Path, started: Started, other: dict[str, Any]
) -> None:
    study, usual = Study.open(studies / "demo"), default_name(HERE)
    add_profile(study, replace(HERE, **other), name=usual)
    press(open_app(), "Predict latency on this device (about 1 min)")
    assert started == [(studies / "demo", "profile", ["--name", f"{usual}-ONNX-Runtime-{onnxruntime.__version__}"])]


@pytest.mark.parametrize("name", [None, "mine"])
def test_a_contended_profile_is_made_again_under_its_name(
    open_app: OpenApp, studies: Path, started: Started, name: str | None
) -> None:
    usual = default_name(HERE)
    add_profile(Study.open(studies / "demo"), HERE, name=name or usual, contended=True)
    press(open_app(), "Profile this device again (about 1 min)")
    assert started == [(studies / "demo", "profile", [*(["--name", name] if name else []), "--again"])]


def test_a_finished_search_can_go_on(open_app: OpenApp, studies: Path, started: Started) -> None:
    at = press(open_app("learn"), "Continue to 400 passes")
    assert not at.exception
    first = ["--method", "evolution", "--budgets", "all"]
    assert started == [(studies / "demo", "learn", [*first, "--candidates", "400", "--no-blocks", "--measure"])]


def test_latencies_that_others_bent_are_measured_again(open_app: OpenApp, studies: Path, started: Started) -> None:
    study = Study.open(studies / "demo")
    points = [replace(p, latency=p.latency and replace(p.latency, contended=p.budget == 1.0)) for p in study.points]
    study.save_points(points)
    at = open_app()
    assert "Other programs were using the cores" in json.loads(at.get("bidi_component")[0].proto.json)["note"]
    press(at, "Measure the frontier again")
    calm = [replace(p, latency=p.latency and replace(p.latency, contended=False)) for p in points]
    timed = next(p for p in calm if p.latency and not p.finetuned)
    assert timed.latency is not None
    varied = replace(timed, latency=replace(timed.latency, quartiles=(1.0, 2.0), unsteady=True))
    study.save_points([varied if p is timed else p for p in calm])
    note = json.loads(open_app().get("bidi_component")[0].proto.json)["note"]
    assert "The times of 1 network varied by over a tenth, also when taken again: measure again when" in note
    study.save_points(calm)
    press(open_app(), "Measure the frontier")
    assert started == [(studies / "demo", "measure", arguments) for arguments in (["--again"], [])]


def test_fewer_passes_than_done_are_refused(open_app: OpenApp, started: Started) -> None:
    at = open_app("learn")
    next(c for c in at.segmented_control if c.label == "Effort").set_value("Other").run()
    next(n for n in at.number_input if n.label == "Passes").set_value(60).run()
    assert next(b for b in at.button if b.label == "Continue to 60 passes").disabled


def test_a_search_that_has_settled_is_not_offered_more(open_app: OpenApp, studies: Path, started: Started) -> None:
    demo = Study.open(studies / "demo")
    assert demo.learned
    demo.save_learned(replace(demo.learned, settled=True))
    at = open_app("learn")
    assert next(b for b in at.button if b.label == "Continue to 400 passes").disabled
    assert any("It has settled" in caption.value for caption in at.caption)
    next(field for field in at.number_input if field.label == "Seed").set_value(7).run()
    assert not next(b for b in at.button if b.label == "Start learning").disabled


def test_a_second_learned_map_can_be_looked_at_and_gone_on_with(open_app: OpenApp, studies: Path) -> None:
    demo = Study.open(studies / "demo")
    assert demo.learned and not [c for c in open_app("learn").segmented_control if c.label == "Ranking"]
    profile = add_profile(demo)
    settings = SearchSettings(cost="latency", device_profile="board", profile_id=profile_id(profile), seed=5)
    demo.save_learned(replace(demo.learned, settings=settings, best_loss=0.45))  # of 0.9
    at = open_app("learn")
    shown = next(c for c in at.segmented_control if c.label == "Ranking")
    assert (shown.options, shown.value) == (["Learned (ms)", "Learned"], "learned-ms")
    assert at.header[0].value == "The learned ranking: 50.0 % less loss than with plain norms"
    assert any(button.label == "Continue to 180 passes" for button in at.button)  # 64 are done
    shown.set_value("learned").run()
    assert at.header[0].value != "The learned ranking: 50.0 % less loss than with plain norms"


def test_effort_is_said_in_minutes_where_the_pace_is_known(open_app: OpenApp, studies: Path) -> None:
    def efforts() -> list[str]:
        at = open_app("learn", study="plain")
        return [str(o) for o in next(c for c in at.segmented_control if c.label == "Effort").options]

    assert efforts()[1] == "Standard (60 passes)"
    note_pass_time(Study.open(studies / "plain").info.weights_sha256, 4.0)
    assert efforts()[1] == "Standard (4 min)"
    note_pass_time(Study.open(studies / "plain").info.weights_sha256, 2.0, "gradient")
    assert efforts()[1] == "Standard (2 min)"


def test_a_ranking_learned_by_a_method_of_the_command_line(open_app: OpenApp, studies: Path) -> None:
    demo = Study.open(studies / "demo")
    assert demo.learned
    demo.save_learned(replace(demo.learned, settings=SearchSettings(method="rl", budgets=(0.3,))))
    at = open_app("learn")
    assert not at.exception
    assert at.segmented_control(key="method").value == "gradient"
    assert any(
        "Reinforcement learning, scored at 30 % of the MACs" in text.value for text in [*at.caption, *at.markdown]
    )


def test_efforts_have_one_unit(open_app: OpenApp, studies: Path) -> None:
    def efforts() -> list[str]:
        return [str(o) for o in next(c for c in open_app("learn").segmented_control if c.label == "Effort").options]

    demo = Study.open(studies / "demo")
    assert demo.learned  # by 64 passes of evolution in 41 s
    assert efforts() == ["Quick (23 s)", "Standard (4 min)", "Thorough (16 min)", "Other"]
    demo.save_learned(replace(demo.learned, passes_spent=tuple(float(2 * n) for n in range(1, 65))))
    assert efforts() == ["Quick (done)", "Standard (87 s)", "Thorough (8 min)", "Other"]


def test_after_a_cancelled_search_one_button_goes_on(open_app: OpenApp, studies: Path) -> None:
    job = write_job(studies / "demo", "learn", state="cancelled", stage="pass", done=5, total=400)
    at = open_app("learn")
    assert [box.label for box in at.expander] == ["Search with other settings"]
    folded = {button.key for button in at.expander[0].button} | {button.label for button in at.expander[0].button}
    assert "Continue to 400 passes" in folded and f"resume-{job.id}" not in folded
    assert [text.value.split(":")[0] for text in at.header] == ["The learned ranking"]


@pytest.mark.parametrize(("page", "label"), [("learn", "Continue to 400 passes"), ("finetune", "Fine-tune at 50 %")])
def test_without_images_nothing_is_trained(open_app: OpenApp, page: str, label: str) -> None:
    at = open_app(page, study="elsewhere")
    assert next(b for b in at.button if b.label == label).disabled
    assert any("not on this machine" in text.value for text in at.markdown)


def network(path: Path, macs: float) -> list[str]:
    return ["--network", keep_id(Study.open(path).curve().at(macs=macs))]


def test_without_images_exporting_works(open_app: OpenApp, studies: Path, started: Started) -> None:
    press(open_app("finetune", study="elsewhere"), "Export at 50 %")
    out = str(studies / "elsewhere" / "exports" / "macs-50-learned")
    which = [*network(studies / "elsewhere", 0.5), "--ranking", "learned", "--no-finetuned"]
    assert started == [(studies / "elsewhere", "export", ["--macs", "0.5", "--out", out, *which])]


def test_the_onnx_file_is_exported_as_the_options_say(open_app: OpenApp, studies: Path, started: Started) -> None:
    at = open_app("finetune", budget="50")
    at.segmented_control(key="export-batch").set_value("dynamic").run()
    at.selectbox(key="export-preprocess").set_value("uint8").run()
    at.number_input(key="export-opset").set_value(12).run()
    press(at, "Export at 50 %")
    (run,) = Study.open(studies / "demo").finetuned
    ((_, _, arguments),) = started
    which = ["--run", run.key, "--ranking", "learned"]  # with these weights, whatever is trained before it starts
    assert arguments[4:] == [*which, "--batch", "dynamic", "--opset", "12", "--preprocess", "uint8"]


@pytest.mark.parametrize("ranking", ["identity", "uniform"])
def test_what_is_trained_and_exported_is_of_the_ranking_on_screen(
    open_app: OpenApp, studies: Path, started: Started, ranking: RankingName
) -> None:
    kept = keep_id(Study.open(studies / "demo").curve(ranking).at(macs=0.5))
    assert kept != keep_id(Study.open(studies / "demo").curve().at(macs=0.5))
    at = open_app("finetune", budget="50", ranking=ranking)
    press(at, f"Export at 50 % ({ranking})")
    press(at, f"Fine-tune at 50 % ({ranking})")
    asked = [JOB_REQUESTS[kind].from_arguments(arguments) for _, kind, arguments in started]
    assert [(request.ranking, request.network) for request in asked] == 2 * [(ranking, kept)]


def test_an_export_says_beforehand_which_weights_it_has(open_app: OpenApp, studies: Path) -> None:
    def said(budget: str) -> list[str]:
        at = open_app("finetune", budget=budget)
        return [caption.value for caption in at.caption if caption.value.startswith("The zip will ")]

    (run,) = Study.open(studies / "demo").finetuned
    assert said("50") == [f"The zip will hold the fine-tuned weights: {100 * run.top1:.2f} % top-1."]
    assert said("40") == [
        "The zip will hold the weights as pruned. Not fine-tuned, and its accuracy was not measured. "
        f"A network fine-tuned at {100 * run.macs_fraction:.0f} % of the MACs has {100 * run.top1:.1f} %."
    ]
    assert said("100") == ["The zip will hold the weights as pruned. The whole network: 95.0 % top-1."]


def test_of_a_network_of_a_supernet_one_chooses_the_weights_that_are_exported(
    open_app: OpenApp, studies: Path, started: Started
) -> None:
    study = Study.open(studies / "demo")
    run, curve = add_supernet(study), study.curve()
    at = open_app("finetune", budget="40")
    (weights,) = [control for control in at.segmented_control if control.label == "Weights"]
    assert weights.options == ["Trained together", "As pruned"]
    top1 = 100 * run.points[2].top1
    said = f"Trained together with all budgets: {top1:.1f} % top-1 on the test images, and the original 95.0 %."
    assert f"The zip will hold its slice of the supernet. {said}" in [caption.value for caption in at.caption]
    press(at, "Export at 40 %")
    name = keep_id(curve.at(macs=0.4))
    out = studies / "demo" / "exports" / f"run-together-{name}"  # many networks have its weights
    arguments = ["--macs", "0.4", "--out", str(out), "--network", name, "--run", "together", "--ranking", "learned"]
    assert started == [(study.path, "export", arguments)]
    weights.set_value("pruned").run()
    press(at, "Export at 40 %")
    assert started[1][2] == [
        "--macs", "0.4", "--out", str(studies / "demo" / "exports" / "macs-40-learned"), "--network", name,
        "--ranking", "learned", "--no-finetuned",
    ]  # fmt: skip
    at = open_app("finetune", budget="50")  # which has a run of its own
    (weights,) = [control for control in at.segmented_control if control.label == "Weights"]
    assert weights.options == ["Fine-tuned", "Trained together", "As pruned"]
    at = open_app("finetune", budget="15")  # smaller than any that the supernet has trained
    assert not [control for control in at.segmented_control if control.label == "Weights"]


def test_a_network_is_exported_for_the_images_that_the_dial_shows(
    open_app: OpenApp, studies: Path, started: Started
) -> None:
    study = Study.open(studies / "demo")
    add_sizes(study, (24,))
    at = open_app("finetune", budget="40", size="24")
    size = next(control for control in at.segmented_control if control.label == "Height of its images")
    assert (size.options, size.value) == (["32 px", "24 px"], 24)
    (run,) = supernets(study)
    top1 = next(point.top1 for point in run.points if (point.side, point.keep_id) == (24, run.points[2].keep_id))
    assert (
        f"The zip will hold its slice of the supernet. Trained together with all budgets: {100 * top1:.1f} % top-1 on "
        "the test images with images scaled to a height of 24."
    ) in [caption.value for caption in at.caption]
    press(at, "Export at 40 % (24 px)")
    assert started[0][2][-2:] == ["--size", "24"] and "--run" in started[0][2]
    other = open_app("finetune", budget="50", size="24")  # which has a run of its own, of the study's own images
    (weights,) = [control for control in other.segmented_control if control.label == "Weights"]
    assert weights.options == ["Trained together", "Fine-tuned", "As pruned"]
    size.set_value(32).run()
    assert "size" not in at.query_params  # Explore shows the same
    press(at, "Export at 40 %")
    assert "--size" not in started[1][2]


def test_measuring_covers_the_sizes_that_networks_were_measured_with(
    open_app: OpenApp, studies: Path, started: Started
) -> None:
    press(open_app(), "Measure the frontier")
    add_sizes(Study.open(studies / "demo"), (24,))
    press(open_app(), "Measure the frontier")
    assert [arguments for _, _, arguments in started] == [[], ["--sizes", "32,24"]]


def test_fine_tuning_at_the_chosen_budget(open_app: OpenApp, studies: Path, started: Started) -> None:
    at = open_app("finetune", budget="47")
    at.number_input(key="epochs").set_value(3).run()
    at.selectbox(key="recipe").set_value("standard").run()
    at.toggle(key="distill-True").set_value(False).run()
    press(at, "Fine-tune at 47 %")
    ranking = Study.open(studies / "demo").default_ranking
    how = ["--recipe", "standard", "--epochs", "3", "--no-distill"]
    assert started == [
        (studies / "demo", "finetune", ["--macs", "0.47", *how, "--ranking", ranking, *network(studies / "demo", 0.47)])
    ]


def test_measuring_the_network_on_screen(open_app: OpenApp, studies: Path, started: Started) -> None:
    press(open_app(budget="62.5"), "Measure this network")
    press(open_app(), "Measure the frontier")
    assert started == [(studies / "demo", "measure", ["--budgets", "0.625"]), (studies / "demo", "measure", [])]


def test_a_sample_is_copied_before_the_first_write(open_app: OpenApp, studies: Path, started: Started) -> None:
    at = press(open_app("finetune", study="shown"), "Fine-tune at 50 %")
    copy = Study.open(studies / "shown")
    assert not copy.info.sample
    assert started[0][0] == studies / "shown"
    assert any("ResNet-8 on digits · shown is a sample and stays as it is" in info.value for info in at.info)
    at.run()
    assert not any("stays as it is" in info.value for info in at.info)  # said once
    assert "sample" not in at.caption[0].value


def test_a_job_that_cannot_start_is_one_sentence(
    open_app: OpenApp, studies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise JobError("learn is at work on plain already; cancel it or wait until it has ended")

    monkeypatch.setattr("app.views.job_panel.start", refuse)
    at = press(open_app("learn", study="plain"), "Start learning")
    assert not at.exception
    assert [e.value for e in at.error] == ["Learn is at work on plain already; cancel it or wait until it has ended."]


def test_names_of_new_studies(studies: Path) -> None:
    for name in ("", "a b", "../x", "ü", "x" * 61):
        assert "letters, digits, - and _ only" in str(problem_with(name, "digits"))
    assert "already" in str(problem_with("demo", "digits"))
    assert "folder" in str(problem_with("new", ""))
    assert problem_with("new-1_B", "digits") is None


def test_opening_another_study(open_app: OpenApp) -> None:
    at = open_app("studies")
    at.button(key="open-plain").click().run()
    assert not at.exception
    assert at.session_state["study"] == "plain"


def test_a_ranking_that_was_learned_beyond_what_the_page_offers_is_shown(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    assert study.learned is not None
    given = {**study.learned.settings.to_dict(), "images": 200_000, "budgets": [0.004]}
    study.save_learned(replace(study.learned, settings=SearchSettings.from_dict(given)))
    at = open_app("learn")
    assert not at.exception
    assert next(field for field in at.number_input if field.label == "Held-out images").value == 200_000
