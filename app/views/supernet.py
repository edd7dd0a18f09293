"""Training the networks of all budgets together, on a page: its settings, its progress, and what has come of it."""

from pathlib import Path

import streamlit as st

from app.curves import measurements
from app.views.finetune import show_curve
from app.views.job_panel import result_of
from app.words import plain, plural
from legr.charts.style import CAPTIONS
from legr.commands.results import SupernetResult
from legr.jobs.records import Job
from legr.progress import duration
from legr.requests.ranges import EPOCHS
from legr.requests.supernet import SupernetRequest
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study
from legr.study.supernets import SupernetRun, supernet_run, supernets
from legr.training.supernet_settings import SupernetSettings

_DEFAULT = SupernetSettings()
_EIGHTHS = 16  # pixels of the lowest image that is offered in eighths


def supernet_form(height: int) -> SupernetRequest:
    """Ask how the networks of all budgets are to be trained.

    Args:
        height: of the images that the network was made for.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        epochs = st.number_input(
            "Epochs for all budgets", EPOCHS.low, EPOCHS.high, None, key="supernet-epochs", persist_state="session",
            width=180, placeholder=f"{_DEFAULT.epochs}",
            help=f"Passes over the training images; if empty, {_DEFAULT.epochs}.",
        )  # fmt: skip
        percent = st.number_input(
            "Smallest budget, %", 1.0, 99.0, 100 * _DEFAULT.smallest, step=1.0, format="%g", key="supernet-smallest",
            persist_state="session", width=170,
            help="Of the MACs. Smaller networks are not trained, and those of all budgets from there on are.",
        )  # fmt: skip
        smaller = st.multiselect(
            "Smaller images as well", _smaller(height), key="supernet-sizes", persist_state="session", width=230,
            format_func=lambda side: f"{side} px", placeholder=f"{height} px alone",
            help="Networks are then trained on images of these heights too: a smaller image costs less at any budget.",
        )  # fmt: skip
    sizes = (height, *sorted(smaller, reverse=True)) if smaller else None
    return SupernetRequest(epochs=epochs or _DEFAULT.epochs, smallest=round(percent / 100, 4), sizes=sizes)


def _smaller(height: int) -> list[int]:
    """Heights from seven eighths to a half of one."""
    return [height * eighths // 8 for eighths in (7, 6, 5, 4)] if height >= _EIGHTHS else []


def supernet_expectation(study: Study, settings: SupernetSettings) -> str:
    """How long a run may take, by what finished runs took on the machine that trained last; "" where there are none."""
    runs: list[FineTuned | SupernetRun] = sorted([*study.finetuned, *supernets(study)], key=lambda run: run.created)
    here = [run for run in runs if run.provenance.machine == runs[-1].provenance.machine]
    if not here:
        return ""
    run = next((run for run in reversed(here) if isinstance(run, SupernetRun)), here[-1])
    work = run.macs_fraction if isinstance(run, FineTuned) else (run.settings or settings).macs_of_step
    seconds = run.seconds / run.epochs / work * settings.macs_of_step * settings.epochs
    what = f" of fine-tuning at {100 * run.macs_fraction:.0f} %" if isinstance(run, FineTuned) else ""
    where = f" on {run.provenance.machine}" if run.provenance.machine else ""
    return f"About {duration(seconds)}: {plural(run.epochs, 'epoch')}{what} took {duration(run.seconds)}{where}."


def show_supernet_training(study: Study, job: Job) -> None:
    """What a job trains, and its curve; of a finished run all epochs, also those before it was resumed."""
    assert isinstance(job.request, SupernetRequest)
    when = "In training" if job.active else "Trained last" if job.state == "done" else "Not trained to the end"
    ranking = CAPTIONS[job.request.ranking or study.default_ranking].lower()
    smallest = f"every budget of the {ranking} ranking from {100 * job.request.smallest:g} % up"
    st.markdown(f"**{plain(f'{when}: {smallest}')}**")
    finished = None
    if job.result:
        key = Path(result_of(job, SupernetResult).weights).stem
        finished = supernet_run(study, key)
    history = [epoch.to_dict() for epoch in finished.curve] if finished else job.history
    show_curve(history, job, key="supernet-training")


def show_supernets(study: Study, ranking: RankingName) -> None:
    """What the supernet of a ranking has come to, with the way to it; and the supernets of former orders."""
    run = measurements(study).supernets.get(ranking)
    if run is not None:
        top1s = [100 * point.top1 for point in run.points if point.macs_fraction < 1]
        reach = f" It was measured at {len(top1s)}: {min(top1s):.1f} to {max(top1s):.1f} % top-1." if top1s else ""
        which = f"Every budget of the {CAPTIONS[ranking].lower()} ranking from {100 * run.smallest:.0f} % up"
        st.success(plain(f"{which} is trained, and can be taken along at once.{reach}"))
        st.page_link("pages/explore.py", label="See them on Explore", icon=":material/arrow_forward:")
    for former in supernets(study):
        if former.ranking_id != study.ranking_id(former.ranking):
            st.caption(plain(f"A supernet of a former order is kept ({former.key})."))
