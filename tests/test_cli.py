"""The command line as a script uses it: real processes, exit codes, one sentence on stderr."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file

import legr
from legr.study.store import Study
from legr.training.models import build_model

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "legr"]


def run(*arguments: object, code: int = 0) -> tuple[Any, str]:
    """Run a command; return its JSON (if any) and what it said on stderr."""
    done = subprocess.run([*COMMAND, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return (json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout), done.stderr


def kill_when(pattern: str, *arguments: object, sig: int = signal.SIGKILL) -> tuple[int, str]:
    """Start a command and kill it once a line of its stderr holds `pattern`."""
    process = subprocess.Popen([*COMMAND, *map(str, arguments)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if pattern in line:
            os.kill(process.pid, sig)
            break
    said += process.stderr.read()
    return process.wait(), said


def learn(study: Path, *more: object) -> tuple[str, ...]:
    return ("learn", "--study", str(study), "--images", "64", "--budget", "0.4", *map(str, more), "--json")


def test_the_whole_way_on_digits(tmp_path: Path) -> None:
    study = tmp_path / "digits"
    made, said = run(
        "new", "--study", study, "--model", "cifar_resnet8", "--weights", "none", "--data", "digits", "--json"
    )
    assert made["layers"] == 7
    assert made["self_check"] < 1e-12
    assert "proving that zeroed = removed" in said

    shown, _ = run("show", "--study", study, "--macs", 0.5, "--json")
    assert shown["ranking"] == "identity"
    assert shown["macs"] <= 0.5 * made["macs"]

    found, said = run(*learn(study, "--candidates", 6))
    assert set(found) == {"candidates", "resumed_from", "identity_loss", "best_loss", "seconds"}
    assert (found["candidates"], found["resumed_from"]) == (6, 0)
    assert found["best_loss"] <= found["identity_loss"]
    assert "candidate 6 of 6" in said
    again, _ = run(*learn(study, "--candidates", 6))
    assert again == {**found, "resumed_from": 6}
    longer, _ = run(*learn(study, "--candidates", 8))
    assert (longer["candidates"], longer["resumed_from"]) == (8, 6)
    assert run("show", "--study", study, "--json")[0]["ranking"] == "learned"

    dense, _ = run("evaluate", "--study", study, "--json")
    assert (dense["recalibrated"], dense["finetuned"], dense["images"]) == (False, False, len_of_test_digits())

    measured, said = run("measure", "--study", study, "--threads", 1, "--budgets", "0.5", "0.3", "--json")
    assert measured["measured"] == 1 + 2 * 3
    assert run("measure", "--study", study, "--budgets", "0.5", "--threads", 1, "--json")[0]["measured"] == 0

    tuned, said = run("finetune", "--study", study, "--macs", 0.5, "--epochs", 2, "--json")
    losses = [epoch["loss"] for epoch in Study.open(study).finetuned[0].curve]
    assert losses[1] < losses[0]
    assert "epoch 2 of 2" in said
    assert Path(tuned["weights"]).is_file()
    scored, _ = run("evaluate", "--study", study, "--macs", 0.5, "--json")
    assert scored["finetuned"]
    assert scored["top1"] == tuned["top1"]
    plain, _ = run("evaluate", "--study", study, "--macs", 0.5, "--no-finetuned", "--json")
    assert plain["top1"] == tuned["top1_before"]
    assert not run("evaluate", "--study", study, "--macs", 0.5, "--ranking", "uniform", "--json")[0]["finetuned"]

    listed, _ = run("jobs", "--study", study, "--json")
    assert [job["state"] for job in listed["jobs"]] == ["done"] * len(listed["jobs"])
    assert {job["kind"] for job in listed["jobs"]} == {"learn", "measure", "finetune"}
    check_export(study, tmp_path / "out", tuned["top1"])


def len_of_test_digits() -> int:
    from legr.data.load import load_dataset

    return len(load_dataset("digits").test)


def check_export(study: Path, out: Path, top1: float) -> None:
    found, _ = run("export", "--study", study, "--macs", 0.5, "--out", out, "--json")
    assert found["finetuned"]
    assert found["top1_agreement"] == 1.0
    assert found["images"] >= 1000
    assert found["max_abs_diff"] < 1e-3

    network = legr.rebuild(found["recipe"])
    inputs = torch.randn(5, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    session = onnxruntime.InferenceSession(found["onnx"], providers=["CPUExecutionProvider"])
    for batch in (1, 5):  # the batch is dynamic
        logits = session.run(None, {"images": inputs[:batch].numpy()})[0]
        assert np.abs(logits - network(inputs[:batch]).detach().numpy()).max() < 1e-4
    recipe = json.loads(Path(found["recipe"]).read_text())
    assert recipe["finetuned"]["top1"] == top1
    assert sum(p.numel() for p in network.parameters()) == recipe["params"] == found["params"]

    names = {entry.filename for entry in zipfile.ZipFile(found["zip"]).infolist()}
    assert names == {"network.onnx", "network.safetensors", "recipe.json", "README.txt"}
    places = {str(ROOT), str(out.parent), str(Path.home()), os.path.dirname(torch.__file__), sys.prefix}
    for name in names:
        content = (out / name).read_bytes()
        for place in places:
            assert place.encode() not in content, (name, place)
    proto = onnx.load(found["onnx"])
    assert not any(node.metadata_props or node.doc_string for node in proto.graph.node)

    weights = out / "network.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    with pytest.raises(legr.ExportError, match="not the file that recipe"):
        legr.rebuild(found["recipe"])


def test_a_killed_search_goes_on_and_ends_alike(study_path: Path, tmp_path: Path, made_study: Path) -> None:
    code, said = kill_when("candidate 5 of 12", *learn(study_path, "--candidates", 12))
    assert code == -signal.SIGKILL
    state = run("jobs", "--study", study_path, "--json")[0]["jobs"][0]["state"]
    assert state == "interrupted"
    found, said = run(*learn(study_path, "--candidates", 12))
    assert found["resumed_from"] >= 5
    assert f"going on after candidate {found['resumed_from']} of 12" in said
    whole = copy_of(made_study, tmp_path / "whole")
    run(*learn(whole, "--candidates", 12))
    a, b = Study.open(study_path).learned, Study.open(whole).learned
    assert a is not None
    assert b is not None
    assert (a.alpha, a.kappa, a.trace) == (b.alpha, b.kappa, b.trace)


def test_a_killed_fine_tune_goes_on_and_ends_alike(study_path: Path, tmp_path: Path, made_study: Path) -> None:
    arguments = ("--macs", "0.4", "--epochs", "3", "--json")
    code, _ = kill_when("epoch 1 of 3", "finetune", "--study", study_path, *arguments)
    assert code == -signal.SIGKILL
    found, said = run("finetune", "--study", study_path, *arguments)
    assert "going on after epoch" in said
    whole = copy_of(made_study, tmp_path / "whole")
    expected, _ = run("finetune", "--study", whole, *arguments)
    assert found["top1"] == expected["top1"]
    from safetensors.torch import load_file

    a, b = load_file(found["weights"]), load_file(expected["weights"])
    assert all(torch.equal(a[name], b[name]) for name in b)
    assert not list((study_path / "checkpoints").iterdir())


def copy_of(study: Path, path: Path) -> Path:
    path.mkdir()
    for file in study.iterdir():
        if file.is_file():
            (path / file.name).write_bytes(file.read_bytes())
    return path


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_130_and_shows_as_cancelled(study_path: Path, sig: int) -> None:
    code, said = kill_when("candidate 2 of 400", *learn(study_path), sig=sig)
    assert code == 130
    assert said.splitlines()[-1] == "interrupted; repeat the command to go on"
    assert run("jobs", "--study", study_path, "--json")[0]["jobs"][0]["state"] == "cancelled"


def test_mistakes_are_one_sentence_and_exit_2(study_path: Path, tmp_path: Path) -> None:
    pickled, empty = tmp_path / "evil.pt", tmp_path / "empty.safetensors"
    torch.save({"state_dict": build_model("cifar_resnet8", 10)}, pickled)  # a whole module: not plain tensors
    save_file({"conv1.weight": torch.zeros(1)}, empty)
    new = ("new", "--study", tmp_path / "x", "--model", "cifar_resnet8", "--data", "digits", "--weights")
    image = tmp_path / "images" / "train" / "a"
    for name in ("train/a", "train/b", "val/a", "val/b"):
        (tmp_path / "images" / name).mkdir(parents=True)
        (tmp_path / "images" / name / "1.png").write_bytes(b"not an image")
    newer = copy_of(study_path, tmp_path / "newer")
    (newer / "study.json").write_text('{"format": 99}')
    for arguments, words in (
        ((*new, tmp_path / "none.pt"), "no weights file"),
        ((*new, pickled), "evil.pt"),
        ((*new, empty), "conv1.weight"),
        (("new", "--study", tmp_path / "x", "--model", "resnet9", "--data", "digits", "--weights", "none"), "resnet50"),
        (
            (
                "new",
                "--study",
                tmp_path / "x",
                "--model",
                "cifar_resnet8",
                "--weights",
                "none",
                "--data",
                image.parents[1],
            ),
            "1.png",
        ),
        (
            (
                "new",
                "--study",
                tmp_path / "x",
                "--model",
                "cifar_resnet8",
                "--weights",
                "none",
                "--data",
                tmp_path / "no",
            ),
            "no",
        ),
        (
            ("new", "--study", study_path, "--model", "cifar_resnet8", "--weights", "none", "--data", "digits"),
            "already",
        ),
        (("new", "--study", tmp_path / "x"), "--model, --weights, --data"),
        (("show", "--study", tmp_path / "nothing"), "legr new"),
        (("show", "--study", study_path, "--macs", "0.001"), "below the floor"),
        (("show", "--study", study_path, "--macs", "2"), "(0, 1]"),
        (("show", "--study", study_path, "--macs", "half"), "half"),
        (("show", "--study", newer), "newer version"),
        (("show",), "--study"),
        (("sohw",), "sohw"),
        (("evaluate", "--study", study_path, "--ranking", "learned"), "legr learn"),
        (("evaluate", "--study", study_path, "--device", "tpu"), "device must be"),
        (("learn", "--study", study_path, "--candidates", "0"), "at least 1"),
        (("learn", "--study", study_path, "--model", "resnet18"), "--model cifar_resnet8"),
        (("finetune", "--study", study_path, "--macs", "0.5", "--epochs", "0"), "epochs must be at least 1"),
        (("measure", "--study", study_path, "--budgets", "a,b"), "separated by commas"),
        (("cancel", "--study", study_path, "../../etc"), "has no job"),
        (("app", "--port", "0"), "port must be"),
    ):
        _, said = run(*arguments, code=2)
        assert words in said.splitlines()[-1], (arguments, said)
    assert not (tmp_path / "x" / "study.json").exists()


def test_a_setting_that_differs_is_named(study_path: Path) -> None:
    run(*learn(study_path, "--candidates", 2))
    _, said = run("learn", "--study", study_path, "--budget", 0.3, code=2)
    assert said.startswith("this study's search was begun with --budget 0.4, got 0.3")
    assert run("learn", "--study", study_path, "--candidates", 2, "--json")[0]["resumed_from"] == 2


def test_jobs_on_one_device_wait_for_each_other(study_path: Path, tmp_path: Path, made_study: Path) -> None:
    other = copy_of(made_study, tmp_path / "other")
    first = subprocess.Popen([*COMMAND, *learn(study_path)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    for line in first.stderr:
        if "candidate 1 of" in line:
            break
    second = subprocess.Popen(
        [*COMMAND, *learn(other, "--candidates", 1)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert second.stderr is not None
    assert "waiting for another job on cpu" in second.stderr.readline()
    assert run("jobs", "--study", other, "--json")[0]["jobs"][0]["state"] == "queued"
    os.kill(first.pid, signal.SIGKILL)  # its lock goes with it
    first.wait()
    assert second.wait(timeout=60) == 0


def test_a_detached_job_is_seen_cancelled_and_resumed(study_path: Path) -> None:
    from legr.jobs import records
    from legr.jobs import run as jobs

    study = Study.open(study_path)
    job = jobs.start(study, "learn", ["--images", "64", "--candidates", "400"])
    with pytest.raises(legr.JobError, match="at work"):
        jobs.start(study, "learn")
    job = wait_for(study, job.id, lambda j: j.done >= 2)
    assert job.state == "running"
    assert job.total == 400
    assert job.values["best_loss"] <= job.values["identity_loss"]
    stopped, _ = run("cancel", "--study", study_path, job.id, "--json")
    assert stopped["state"] == "cancelled"
    again = jobs.resume(study, records.load(study, job.id))
    running = wait_for(study, again.id, lambda j: j.done >= job.done + 1)
    assert running.done > job.done
    jobs.cancel(study, again.id)
    failing = jobs.start(study, "finetune", ["--macs", "0.0001"])
    failed = wait_for(study, failing.id, lambda j: not j.active)
    assert failed.state == "failed"
    assert "below the floor" in failed.error


def wait_for(study: Study, job_id: str, when: Any) -> Any:
    from legr.jobs import records

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = records.load(study, job_id)
        if when(job):
            return job
        time.sleep(0.1)
    raise AssertionError(f"the job did not get there: {records.load(study, job_id)}")


def test_a_taken_port_is_one_sentence_and_the_next_is_used() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = kill_when("explorer:", "app", "--port", port, sig=signal.SIGINT)
        assert f"Port {port} is taken; using {port + 1} instead." in said
        assert code == 130
