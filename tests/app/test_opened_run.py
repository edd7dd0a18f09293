"""The network of a run of an earlier ranking: opened by its key, it is what every page shows and acts on."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.views.finetune import runs_table
from legr.jobs import records
from legr.requests.export import ExportRequest
from legr.study.records import FineTuned
from legr.study.store import Study, keep_id
from tests.app.conftest import OpenApp
from tests.app.plain_table import plain_table
from tests.app.test_explore_page import dial
from tests.app.test_job_panel import write_job
from tests.app.test_see_page import Networks, networks, press, texts  # noqa: F401


@pytest.fixture
def run(studies: Path) -> FineTuned:
    """The run of the study "demo", whose ranking was learned again since."""
    study = Study.open(studies / "demo")
    learned = study.learned
    assert learned is not None
    study.save_learned(replace(learned, alpha=learned.alpha[::-1], kappa=learned.kappa[::-1]))
    (run,) = study.finetuned
    return run


def test_the_dial_shows_exactly_this_network(open_app: OpenApp, studies: Path, run: FineTuned) -> None:
    study = Study.open(studies / "demo")
    points = {(p.ranking, p.budget, bool(p.finetuned)): p for p in study.all_points}
    before = points["learned", 0.5, False]
    at = open_app(budget="50", run=run.key)
    opened = dial(at)["opened"]
    table = opened["table"]
    assert not at.exception and opened["run"] == run.key
    assert (table["macs"], table["params"]) == ([before.macs], [before.params])
    assert table["after"] == [run.top1] and table["before"] == [pytest.approx(before.top1, abs=1e-5)]
    assert before.latency and table["latency"] == [pytest.approx(before.latency.milliseconds, abs=1e-5)]
    assert "fine-tuned before the ranking or the constraints changed: it lies off the present order" in opened["note"]
    row = dial(at)["table"]["start"]
    assert plain_table(dial(at)["table"])["kept"][row] != plain_table(table)["kept"][0]
    assert dial(at)["table"]["after"][row] is None
    disabled = {button.label: button.disabled for button in at.button}
    assert disabled["Measure this network"]  # a budget would lead to another


def test_another_ranking_closes_it(open_app: OpenApp, run: FineTuned, monkeypatch: pytest.MonkeyPatch) -> None:
    at = open_app(budget="50", run=run.key)
    assert dial(at)["opened"]
    chosen = {"number": 9, "choices": [{"name": "ranking", "value": "uniform", "number": 9}]}
    monkeypatch.setattr("app.budget_dial.view.budget_dial", lambda data, key, on_view: on_view(chosen))
    at.run()
    assert "run" not in at.query_params and at.query_params["ranking"] in ("uniform", ["uniform"])
    monkeypatch.undo()


@pytest.mark.parametrize("key", ["nonsense", "../../x", ""])
def test_a_link_to_no_run_shows_the_budget(open_app: OpenApp, run: FineTuned, key: str) -> None:
    at = open_app(budget="50", run=key)
    assert not at.exception and not at.error and dial(at)["opened"] is None


def test_a_run_whose_kept_set_is_lost_is_not_opened(open_app: OpenApp, studies: Path, run: FineTuned) -> None:
    Study.open(studies / "demo").save_finetuned(replace(run, kept=""))
    assert dial(open_app(budget="50", run=run.key))["opened"] is None


def test_the_table_of_runs_says_it_and_opens_it(open_app: OpenApp, run: FineTuned) -> None:
    at = open_app("finetune", budget="30")
    assert at.dataframe[0].value["Ranking"].tolist() == ["–, as it was before"]  # the demo's run notes no ranking
    assert runs_table([replace(run, ranking="learned")], {run.key})["Ranking"].tolist() == ["Learned, as it was before"]
    assert runs_table([replace(run, ranking="learned")])["Ranking"].tolist() == ["Learned"]


def test_export_and_fine_tuning_know_which_network_is_open(
    open_app: OpenApp, studies: Path, run: FineTuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[object] = []
    monkeypatch.setattr("app.views.job_panel.start", lambda study, request: asked_for.append(request))
    at = open_app("finetune", budget="50", run=run.key)
    labels = [button.label for button in at.button]
    assert not at.exception and not any(label.startswith("Fine-tune at") for label in labels)
    assert f"fine-tuned weights: {100 * run.top1:.2f} % top-1" in texts(at)
    press(at, f"Export {100 * run.macs_fraction:.1f} % (run {run.key})")
    (request,) = asked_for
    assert isinstance(request, ExportRequest) and request.run == run.key and request.network is None
    assert request.out == studies / "demo" / "exports" / "run-run-0-5"  # a key may be of any text


def test_see_it_asks_exactly_this_network(open_app: OpenApp, run: FineTuned, networks: Networks) -> None:  # noqa: F811
    at = open_app("see", budget="50", run=run.key)
    at.number_input[0].set_value(17).run()
    assert not at.exception and not at.error
    (question,) = networks.asked
    assert question.request["run"] == run.key
    assert f"Beside the original: the network of run {run.key}, 49.6 % of the MACs, fine-tuned for 3" in texts(at)


def exported(studies: Path, percent: int, *, finetuned: bool) -> None:
    """Write the record of an export at a budget, and a zip."""
    study = Study.open(studies / "demo")
    archive = study.path / "exports" / f"macs-{percent}" / "network.zip"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"PK")
    network = keep_id(study.curve().at(macs=percent / 100))
    arguments = ("--macs", str(percent / 100), "--out", str(archive.parent), "--network", network)
    job = write_job(
        studies / "demo",
        "export",
        state="done",
        arguments=arguments,
        result={"zip": str(archive), "finetuned": finetuned},
    )
    records.save(study, replace(job, id=f"export-{percent}"))


def test_every_export_says_its_budget_and_the_main_button_is_of_what_is_on_screen(
    open_app: OpenApp, studies: Path
) -> None:
    exported(studies, 25, finetuned=False)
    exported(studies, 50, finetuned=True)
    (studies / "demo" / "jobs" / "export-1.json").unlink()
    for budget, main, others in (
        ("25", ["Download the 25 % network"], ["Download the 50 % network"]),
        ("50", ["Download the 50 % network"], ["Download the 25 % network"]),
        ("60", [], ["Download the 25 % network", "Download the 50 % network"]),
    ):
        at = open_app("finetune", budget=budget)
        assert not at.exception
        found = {button.label: button.proto.type for button in at.download_button}
        assert [label for label, kind in found.items() if kind == "primary"] == main
        assert sorted(label for label, kind in found.items() if kind != "primary") == others
        assert len(at.success) == len(main)


def test_an_export_from_before_fine_tuning_is_not_that_of_the_network_on_screen(
    open_app: OpenApp, studies: Path
) -> None:
    exported(studies, 50, finetuned=False)
    at = open_app("finetune", budget="50")
    assert not at.success and [b.proto.type for b in at.download_button] == ["secondary"]


def test_a_training_chart_says_of_which_budget_it_is(open_app: OpenApp, studies: Path) -> None:
    history = ({"done": 1, "loss": 2.0, "heldout_top1": 0.5},)
    write_job(
        studies / "demo", "finetune", state="cancelled", arguments=("--macs", "0.25"), stage="epoch", done=1, total=3,
        history=history,
    )  # fmt: skip
    at = open_app("finetune", budget="60")
    assert "Fine-tune at 60 %" in [button.label for button in at.button]
    assert "**Not trained to the end: the 25 % network**" in texts(at)


def test_weights_that_are_elsewhere_are_said(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    (run,) = study.finetuned
    study.finetuned_weights(run.key).unlink()
    at = open_app("finetune", budget="50")
    assert "the fine-tuned ones (93.00 % top-1) are not in this study" in texts(at)


# -- the held network ------------------------------------------------------------------------------------------------


def test_see_it_compares_with_the_network_that_is_held(
    open_app: OpenApp,
    studies: Path,
    networks: Networks,  # noqa: F811
) -> None:
    at = open_app("see", budget="50", held="70")
    at.number_input[0].set_value(17).run()
    assert not at.exception and not at.error
    assert [question.request["budget"] for question in networks.asked] == [{"macs": 0.5}, {"macs": 0.7}]
    assert "Beside the held network (learned ranking, 69.7 % of the MACs, as pruned" in texts(at)
    # Both networks say the same here, as one process stands in for both.
    assert at.warning[0].value == "Both are wrong: they say 5, and it is 3."
    assert "Held: 69.7 % of the MACs" in texts(at) and "Original" not in texts(at)


def test_the_network_that_is_held_is_not_compared_with_itself(open_app: OpenApp) -> None:
    assert "Beside the original: learned ranking" in texts(open_app("see", budget="50", held="50"))
