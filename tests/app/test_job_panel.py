"""A job on a page, in every state it can be in; all of it read from its record."""

import json
import os
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from legr.jobs import records
from legr.jobs.records import Job
from legr.requests.jobs import JOB_REQUESTS
from legr.study.store import Study, keep_id
from tests.app.conftest import OpenApp

NAMED = {"finetune": ("--macs", "0.5"), "export": ("--macs", "0.5", "--out", "out"), "compare": ("--macs", "0.5")}


def write_job(path: Path, kind: str, **facts: Any) -> Job:
    """Write the record of a job that began a minute ago."""
    request = JOB_REQUESTS[kind].from_arguments(facts.pop("arguments", NAMED.get(kind, ())))
    job = Job(f"{kind}-1", request, "cpu", **{"created": time.time() - 60, **facts})
    records.save(Study.open(path), job)
    return job


def alive() -> dict[str, Any]:
    """Facts of a job whose process is there: this one."""
    return {"pid": os.getpid(), "pid_started": records.process_start(psutil.Process())}


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def progress(at: AppTest) -> str:
    found = [element.proto.text for element in at.main if element.type == "progress"]
    return " ".join(found) or " ".join(e.proto.text for e in at.get("progress"))


HISTORY = tuple({"done": n, "best_loss": 1.0 / n, "identity_loss": 1.0} for n in range(1, 24))


def test_a_search_at_work(open_app: OpenApp, studies: Path) -> None:
    write_job(
        studies / "plain", "learn", state="running", stage="pass", done=23, total=64, seconds_left=40.0,
        values=HISTORY[-1], history=HISTORY, **alive(),
    )  # fmt: skip
    at = open_app("learn", study="plain")
    assert not at.exception
    assert "Pass 23 of 64 · about 40 s left" in progress(at)
    assert "So far: 95.7 % less loss than with plain norms." in [caption.value for caption in at.caption]  # 1 - 1/23
    assert "Cancel" in labels(at) and "Start learning" not in labels(at)
    write_job(
        studies / "plain", "learn", state="running", stage="pass", done=1, total=64, history=HISTORY[:1], **alive()
    )
    at = open_app("learn", study="plain")  # plain norms alone are scored
    assert not any(caption.value.startswith("So far") for caption in at.caption) and not at.get("bidi_component")
    elsewhere = open_app("explore", study="plain")
    assert any("search runs in the background. Pass 1 of 64" in c.value for c in elsewhere.caption)


def test_a_search_that_waits_for_the_device(open_app: OpenApp, studies: Path) -> None:
    write_job(studies / "plain", "learn", state="queued", stage="waiting for the device", **alive())
    assert "Waiting for another job" in progress(open_app("learn", study="plain"))


@pytest.mark.parametrize("state", ["running", "queued"])
def test_a_job_whose_process_is_gone_can_be_resumed(
    open_app: OpenApp, studies: Path, state: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = write_job(studies / "plain", "learn", state=state, stage="pass", done=5, total=64, pid=2**22 + 1)
    resumed = []
    monkeypatch.setattr("app.views.job_panel.resume", lambda study, found: resumed.append((study.path, found.id)))
    at = open_app("learn", study="plain")
    assert not at.exception
    assert "was interrupted after pass 5 of 64" in at.warning[0].value
    at.button(key=f"resume-{job.id}").click().run()
    assert resumed == [(studies / "plain", job.id)]


def test_a_cancelled_job_says_that_nothing_is_lost(open_app: OpenApp, studies: Path) -> None:
    write_job(studies / "demo", "finetune", state="cancelled", stage="epoch", done=2, total=10, finished=time.time())
    at = open_app("finetune")
    assert "cancelled after epoch 2 of 10. What is finished is kept" in at.warning[0].value
    assert "Resume" in labels(at)


INTERRUPTED: dict[str, Any] = {"state": "running", "pid": 2**22 + 1}  # no process has such a number
FAILED: dict[str, Any] = {"state": "failed", "error": "the disk is full"}


@pytest.mark.parametrize(
    ("facts", "stays", "toasts", "panel"),
    [
        ({"state": "done"}, True, ["The fine-tuning has finished."], []),
        (INTERRUPTED, True, [], ["The fine-tuning was interrupted after epoch 2 of 10: its process has"]),
        (FAILED, True, [], ["The disk is full."]),
        (FAILED, False, ["the disk is full"], []),
    ],
)
def test_how_a_job_ended_is_said_once(
    studies: Path, facts: dict[str, Any], stays: bool, toasts: list[str], panel: list[str]
) -> None:
    """The panel runs by itself while a job is at work; AppTest cannot wait for that, so it is run as it would be."""

    def page(path: str, job_id: str, stays: bool) -> None:
        import streamlit as st

        from app.curves import learned_stamp
        from app.views import job_panel
        from app.widgets.page import run_page
        from legr.study.store import Study

        def panel() -> None:
            first = st.session_state.pop("first", False)  # later runs find the job as it is now
            study = Study.open(path)
            if first or stays:
                job_panel._show(study, job_id, job_panel._PageRun(first, learned_stamp(study), stays), None)

        run_page(panel, "pages/finetune.py")

    job = write_job(studies / "demo", "finetune", stage="epoch", done=2, total=10, **facts)
    at = AppTest.from_function(page, default_timeout=30, args=(str(studies / "demo"), job.id, stays))
    at.session_state["entered"] = at.session_state["first"] = True
    at.run()
    assert not at.exception
    assert [toast.value for toast in at.toast] == toasts
    said = [element.value for element in (*at.warning, *at.error)]
    assert len(said) == len(panel) and all(map(str.startswith, said, panel))


def test_another_page_says_how_a_job_ended(studies: Path) -> None:
    def page(path: str, job_id: str) -> None:
        import streamlit as st

        from app.curves import learned_stamp
        from app.views import job_panel
        from app.widgets.page import run_page
        from legr.study.store import Study

        watched = [job_id] if st.session_state.pop("first", False) else []
        study = Study.open(path)
        run_page(lambda: job_panel._lines(study, watched, learned_stamp(study)), "pages/learn.py")

    job = write_job(studies / "demo", "finetune", **FAILED)
    at = AppTest.from_function(page, default_timeout=30, args=(str(studies / "demo"), job.id))
    at.session_state["entered"] = at.session_state["first"] = True
    at.run()
    assert not at.exception
    assert [toast.value for toast in at.toast] == ["the disk is full"]


def test_a_failed_job_gives_its_sentence_and_its_log(open_app: OpenApp, studies: Path) -> None:
    job = write_job(studies / "demo", "finetune", state="failed", error="the disk is full; free some space")
    records.log_path(Study.open(studies / "demo"), job.id).write_text("loading\nthe disk is full\n")
    at = open_app("finetune")
    assert not at.exception
    assert [e.value for e in at.error] == ["The disk is full; free some space."]
    assert "the disk is full" in at.code[0].value
    assert "Resume" in labels(at)


def test_a_finished_search_shows_what_it_found(open_app: OpenApp, studies: Path) -> None:
    write_job(studies / "demo", "learn", state="done", stage="point", done=40, total=40, finished=time.time())
    at = open_app("learn")
    assert not at.exception
    assert [text.value for text in at.header] == [
        "The learned ranking: 44.4 % less loss than with plain norms"
    ]  # 0.5005 of 0.9
    assert any("64 candidates tried in 64 passes, 41 s." in caption.value for caption in at.caption)
    assert "Cancel" not in labels(at) and "Resume" not in labels(at)


def test_a_finished_export_offers_its_zip(open_app: OpenApp, studies: Path) -> None:
    archive = studies / "demo" / "exports" / "macs-50" / "network.zip"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"PK")
    files = {"onnx": "network.onnx", "weights": "network.safetensors", "recipe": "recipe.json", "zip": str(archive)}
    result = {**files, "max_abs_diff": 2.9e-6, "top1_agreement": 1.0, "images": 1024, "finetuned": True}
    network = keep_id(Study.open(studies / "demo").curve().at(macs=0.5))
    arguments = ("--macs", "0.5", "--out", "out", "--network", network)
    write_job(studies / "demo", "export", state="done", arguments=arguments, result=result)
    at = open_app("finetune")
    assert "The 50 % network is exported with its fine-tuned weights." in at.success[0].value
    assert "2.9e-06, same top-1 class on 100.00 % of 1,024 inputs" in at.success[0].value
    assert [b.label for b in at.download_button] == ["Download the 50 % network"]
    archive.unlink()
    assert any("not in this study" in c.value for c in open_app("finetune").caption)


def test_finished_runs_are_listed(open_app: OpenApp) -> None:
    table = open_app("finetune").dataframe[0].value
    assert table["Top-1 after, %"].tolist() == [93.0]
    assert table["Time"].tolist() == ["75 s"]


def bring_job(path: Path, **facts: Any) -> str:
    """Write a record that came with a study: this machine's register does not know it."""
    job = {"id": "finetune-brought", "kind": "finetune", "request": {"budget": {"macs": 0.5}}, "device": "cpu"}
    job |= {"state": "running", "created": time.time() - 60, "stage": "epoch", "done": 2, "total": 10, **facts}
    (path / "jobs").mkdir(exist_ok=True)
    (path / "jobs" / "finetune-brought.json").write_text(json.dumps(job))
    return "finetune-brought"


@pytest.mark.parametrize("state", ["running", "cancelled", "failed"])
def test_what_another_machine_began_is_started_anew(
    open_app: OpenApp, studies: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    job_id = bring_job(studies / "demo", state=state, error="![](http://elsewhere/x.png)", pid=1, pid_started=0.5)
    resumed = []
    monkeypatch.setattr("app.views.job_panel.resume", lambda study, found: resumed.append(found.id))
    at = open_app("finetune")
    assert not at.exception and not at.error
    assert at.warning[0].value.startswith("The fine-tuning was not finished after epoch 2 of 10, on another machine")
    assert "Start anew" in labels(at) and not {"Cancel", "Resume"} & set(labels(at))
    at.button(key=f"resume-{job_id}").click().run()
    assert resumed == [job_id]


def test_what_an_earlier_version_is_at_is_shown_and_cannot_be_cancelled(open_app: OpenApp, studies: Path) -> None:
    bring_job(studies / "demo", **alive())
    at = open_app("finetune")
    assert not at.exception
    assert progress(at).startswith("Epoch 2 of 10")
    assert "Cancel" not in labels(at)
    assert any("cancel it where it was started" in caption.value for caption in at.caption)


@pytest.mark.parametrize("kind", ["export", "finetune"])
def test_a_result_of_elsewhere_may_say_anything(open_app: OpenApp, studies: Path, kind: str) -> None:
    (studies / "demo" / "jobs").mkdir(exist_ok=True)
    request = {"budget": {"macs": 0.5}, "out": "x"}
    job = {"id": f"{kind}-brought", "kind": kind, "request": request, "state": "done", "created": 1.0}
    job |= {"history": [{"a": 1}, {}], "result": {"zip": 5, "weights": 3}}
    (studies / "demo" / "jobs" / f"{kind}-brought.json").write_text(json.dumps(job))
    assert not open_app("finetune").exception
