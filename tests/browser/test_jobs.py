"""The long work in a real browser, with real processes: started, cancelled, killed, resumed, finished, carried away."""

import os
import shutil
import signal
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnxruntime
import psutil
import pytest
import torch
from playwright import sync_api

import legr
from legr.commands.create import ImageSource, NetworkSource, create
from legr.commands.learn import run_learn, search_task
from legr.commands.measure import BUDGETS
from legr.commands.original import original
from legr.deploy.bundle import read_recipe
from legr.deploy.latency import conditions_here
from legr.jobs import records
from legr.jobs.records import Job
from legr.progress import silent
from legr.requests.learn import LearnRequest
from legr.structure.plans import plan_to_dict
from legr.structure.surgery import plan
from legr.study.latency import Latency
from legr.study.records import Point, RankingName
from legr.study.store import Study
from tests.app.demo_study import made_up_map, make_study
from tests.browser.running import running_app
from tests.browser.test_explore import wait_for_bars
from tests.data.pictures import write_class_folders

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIDE, PASSES = 16, 600
PATIENCE_MS = 90_000
STEP_S = 30.0


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A small real study on pictures of two colours; what is no part of these tests is measured already."""
    folder = tmp_path_factory.mktemp("jobs")
    pictures = write_class_folders(folder / "pictures", n_train=60)
    study = create(
        folder / "studies" / "tiny",
        NetworkSource("cifar_resnet8"),
        ImageSource(str(pictures), "imagenet", input_shape=(3, SIDE, SIDE)),
        silent,
    )
    names: tuple[RankingName, ...] = ("identity", "uniform")
    points = [made_up(study, name, budget) for name in names for budget in BUDGETS]
    study.save_points([made_up(study, "original", 1.0), *points])
    return study


@pytest.fixture(scope="module")
def jobs_url(tiny: Study) -> Iterator[str]:
    with running_app(tiny.path.parent) as url:
        yield url


def made_up(study: Study, ranking: RankingName, budget: float) -> Point:
    """A point with real costs, so that only the learned ranking is left to measure."""
    curve = study.curve("uniform" if ranking == "uniform" else "identity")
    step = curve.step(macs=budget)
    return Point(
        ranking=ranking, ranking_id=study.ranking_id(ranking), budget=budget, macs=int(curve.macs[step]),
        params=int(curve.params[step]), macs_fraction=float(curve.macs[step] / curve.macs[0]), top1=0.1, loss=2.3,
        images=4, recalibrated=False,
        latency=Latency(1.0, **asdict(conditions_here("onnxruntime", torch.device("cpu")))),
    )  # fmt: skip


def job_when(study: Study, kind: str, state: str, done: int = 0) -> Job:
    """The newest job of a kind, once it is so far."""
    deadline = time.monotonic() + STEP_S
    while time.monotonic() < deadline:
        job = records.latest(study, kind)
        if job and job.state == state and job.done >= done:
            return job
        time.sleep(0.05)
    raise AssertionError(f"{kind} did not get there: {job}")


def press(page: sync_api.Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def enter(page: sync_api.Page, label: str, value: int) -> None:
    field = page.get_by_role("spinbutton", name=label, exact=True)
    field.fill(str(value))
    field.press("Enter")


def toast(page: sync_api.Page, words: str) -> None:
    sync_api.expect(page.get_by_test_id("stToast").filter(has_text=words)).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.thorough
def test_a_search_cancelled_killed_and_resumed_ends_like_one_that_was_not(
    page: sync_api.Page, jobs_url: str, tiny: Study, tmp_path: Path
) -> None:
    page.goto(f"{jobs_url}/learn?study=tiny")
    press(page, "More settings")
    page.locator(".st-key-method").get_by_text("Evolution").click()
    page.locator(".st-key-effort-evolution-0").wait_for()
    page.keyboard.press("Escape")
    page.locator(".st-key-effort-evolution-0").get_by_text("Other").click()
    enter(page, "Passes", PASSES)
    press(page, "Start learning")
    page.get_by_text(f"of {PASSES}").first.wait_for()
    press(page, "Cancel")
    page.get_by_test_id("stAlertContentWarning").filter(has_text="The search was cancelled").wait_for()
    assert job_when(tiny, "learn", "cancelled").done < PASSES

    press(page, "Resume")
    os.kill(job_when(tiny, "learn", "running", done=1).pid or 0, signal.SIGKILL)
    page.get_by_test_id("stAlertContentWarning").filter(has_text="The search was interrupted").wait_for()
    assert tiny.learned is None

    press(page, "Resume")
    toast(page, "The search has finished.")
    sync_api.expect(page.get_by_role("heading", name="The learned ranking: ")).to_be_visible()
    found, whole = tiny.learned, Study.open(tiny.path).copy_to(tmp_path / "whole")
    (whole.path / "ranking.json").unlink()
    shutil.rmtree(whole.path / "searches")
    run_learn(whole, search_task(whole, LearnRequest(method="evolution", candidates=PASSES)), torch.device("cpu"))
    assert found and whole.learned
    assert (found.alpha, found.kappa, found.best_losses) == (
        whole.learned.alpha,
        whole.learned.kappa,
        whole.learned.best_losses,
    )

    page.get_by_role("link", name="Explore").click()
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    measured = {p.macs: p.top1 for p in tiny.points if p.ranking in ("learned", "original")}
    assert series(page, "Learned, as cut") == pytest.approx([100 * measured[macs] for macs in sorted(measured)])
    assert len(measured) > len(BUDGETS) / 2


def test_a_ranking_is_known_as_soon_as_it_is_learned_though_its_networks_are_still_measured(
    page: sync_api.Page, tmp_path: Path
) -> None:
    study = make_study(tmp_path / "studies" / "fresh", learned=False)
    alive = {"pid": os.getpid(), "pid_started": records.process_start(psutil.Process())}
    job = Job("learn-1", LearnRequest(), "cpu", "running", time.time(), stage="pass", done=63, total=64, **alive)
    records.save(study, job)
    with running_app(study.path.parent) as url:
        explore = page.context.new_page()
        for tab, name in ((page, "learn"), (explore, "")):
            tab.goto(f"{url}/{name}?study=fresh")
            tab.get_by_role("heading", name="ResNet-8 on digits · fresh").wait_for(timeout=PATIENCE_MS)
        explore.get_by_text("Nothing is learned yet").wait_for()

        study.save_learned(made_up_map(study))
        records.save(study, replace(job, stage="point", done=1, total=13))
        for tab in (page, explore):  # nobody reloads
            tab.get_by_role("link", name="Learn ✓").wait_for()
        sync_api.expect(explore.locator(".bd-facts")).to_contain_text("ranking learned: 44.4 % less loss")
        page.get_by_text("The ranking is learned and in use. Now the networks").wait_for()
        toast(explore, "The ranking is learned and in use.")
        sync_api.expect(explore.get_by_text("Nothing is learned yet")).to_have_count(0)
        explore.get_by_text("Measured network 1 of 13").wait_for()  # and goes on to be watched
        for tab in (page, explore):  # before the server stops: a tab that asks for something then complains
            tab.close()


def series(page: sync_api.Page, name: str) -> list[float]:
    """Accuracies of a line on the frontier, per cent."""
    found: list[float] = page.evaluate(
        """name => {
        const chart = document.querySelector('.bd-frontier .bd-plot');
        const place = chart.data.findIndex(trace => trace.name === name);
        return place < 0 ? [] : chart.calcdata[place].map(point => point.y);
    }""",
        name,
    )
    return found


def test_a_network_is_fine_tuned_exported_and_carried_away(
    page: sync_api.Page, jobs_url: str, tiny: Study, tmp_path: Path
) -> None:
    page.goto(f"{jobs_url}/finetune?study=tiny&budget=50")
    enter(page, "Epochs", 1)
    press(page, "Fine-tune at 50 %")
    toast(page, "The fine-tuning has finished.")
    page.locator(".js-plotly-plot .scatterlayer .point").first.wait_for()
    (run,) = Study.open(tiny.path).finetuned

    press(page, "Export at 50 %")
    toast(page, "The export has finished.")
    with page.expect_download() as downloading:
        press(page, "Download the 50 % network")
    archive = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(archive)
    assert archive.name.startswith("tiny-cifar_resnet8-") and archive.suffix == ".zip"
    with zipfile.ZipFile(archive) as files:
        files.extractall(tmp_path)
    images = torch.rand(7, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(str(tmp_path / "network.onnx"), providers=["CPUExecutionProvider"])
    logits = np.concatenate([session.run(None, {"images": image.numpy()})[0] for image in images.split(1)])
    network = legr.rebuild(tmp_path / "recipe.json")
    with torch.inference_mode():
        assert np.abs(logits - network(images).numpy()).max() < 1e-4
    assert sum(p.numel() for p in network.parameters()) == tiny.curve().params[tiny.curve().step(macs=0.5)]

    page.get_by_role("link", name="Explore").click()
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    ranking = tiny.default_ranking.capitalize()  # it is learned where the test of a search has run before
    assert series(page, f"{ranking}, trained") == [pytest.approx(100 * run.top1)]


@pytest.mark.thorough
def test_the_zip_keeps_what_the_page_shows_by_whichever_ranking(
    page: sync_api.Page, jobs_url: str, tiny: Study, tmp_path: Path
) -> None:
    curve, usual = tiny.curve("uniform"), tiny.curve()
    step = curve.step(macs=0.6)
    assert (curve.kept[:, step] != usual.kept[:, usual.step(macs=0.6)]).any()
    page.goto(f"{jobs_url}/?study=tiny&budget=60&ranking=uniform")
    wait_for_bars(page, curve.kept[:, step].tolist())
    page.get_by_role("link", name="Fine-tune & export").click()
    press(page, "Export at 60 % (uniform)")
    toast(page, "The export has finished.")
    with page.expect_download() as downloading:
        press(page, "Download the 60 % (uniform) network")
    downloading.value.save_as(tmp_path / "network.zip")
    with zipfile.ZipFile(tmp_path / "network.zip") as files:
        files.extractall(tmp_path)
    exported = read_recipe(tmp_path / "recipe.json").plan
    assert plan_to_dict(exported) == plan_to_dict(plan(original(tiny), tiny.structure, curve.keep(step)))
