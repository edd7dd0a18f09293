"""Fine-tuning on a page: how to train, what a run is doing, and finished runs side by side.

It does not know how a network is trained.
"""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import streamlit as st

from app import state
from app.charts.style import CAPTIONS, PLOTLY_CONFIG
from app.charts.training import runs_figure, training_figure, training_info
from app.words import many, plain
from legr.errors import LegrError, SettingsError
from legr.jobs.records import Job
from legr.progress import duration
from legr.ranking.limits import Budget
from legr.requests.types import FinetuneRequest
from legr.study.records import RANKINGS, FineTuned
from legr.study.store import Study, keep_id
from legr.training.settings import NUMBERS, RECIPES, TrainSettings, as_recipe

_RECIPE, _EPOCHS, _DISTILL = "recipe", "epochs", "distill"
START = "short"
_WORDS = {
    "quick": "a first look",
    "short": "most of what can be won back",
    "standard": "what a product would ship",
    "paper": "as in LeGR, without a teacher",
}


def training_form(budget: Budget) -> FinetuneRequest:
    """Ask how to train the network of a budget."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        recipe = st.selectbox(
            "Recipe", list(RECIPES), list(RECIPES).index(START), format_func=_caption, key=_RECIPE, width=330,
            persist_state="session",
        )  # fmt: skip
        own = RECIPES[recipe]
        epochs = st.number_input(
            "Epochs", 1, 1000, None, key=_EPOCHS, persist_state="session", width=140, placeholder=f"{own.epochs}",
            help="Passes over the training images; the recipe's own where nothing is set.",
        )  # fmt: skip
        distill = st.toggle(
            "Learn from the original", own.distill, key=f"{_DISTILL}-{own.distill}", persist_state="session",
            help="Distillation: the original network's answers are learned beside the labels.",
        )  # fmt: skip
    changed = None if distill == own.distill else distill
    return FinetuneRequest(budget, recipe=recipe, epochs=epochs, distill=changed)


def expectation(study: Study, budget: Budget, settings: TrainSettings) -> str:
    """What finished runs tell about one that is not started yet; "" where there are none.

    That the network was trained like this already, or else how long it may take: judged by the run next to it in MACs,
    taught alike, on the machine that trained last.
    """
    runs, curve = study.finetuned, state.curve(study, study.default_ranking)
    macs_fraction = float(curve.macs[curve.step(budget)] / curve.dense.macs)
    network = state.network_id(study, study.default_ranking, budget)
    same = [run for run in runs if run.keep_id == network and run.settings == asdict(settings)]
    if same:
        found = min(same, key=lambda run: run.half)
        rounded = ", and rounded to float16" if found.half else ""
        return f"Trained like this already{rounded}: {100 * found.top1:.2f} % top-1, in the table below."
    if not runs:
        return ""

    def distance(run: FineTuned) -> tuple[bool, float]:
        return run.settings.get("distill") != settings.distill, abs(run.macs_fraction - macs_fraction)

    machine = runs[-1].made.get("machine")
    near = min((run for run in runs if run.made.get("machine") == machine), key=distance)
    took = f"{many(near.epochs, 'epoch')} at {100 * near.macs_fraction:.0f} % took {duration(near.seconds)}"
    where = f" on {machine}" if machine else ""
    return f"About {duration(near.seconds / near.epochs * settings.epochs)}: {took}{where}."


def show_training(study: Study, job: Job) -> None:
    """What is trained, and its curves; of a finished run, all of them, however often it was resumed."""
    assert isinstance(job.request, FinetuneRequest)
    settings = job.request.settings
    taught = ", learning from the original" if settings.distill else ""
    st.caption(plain(f"{job.request.budget.words}, {many(settings.epochs, 'epoch')}{taught}."))
    key = Path(str(job.result.get("weights", ""))).stem
    finished = study.finetuned_run(key)
    history = finished.curve if finished else job.history
    info = training_info(history)
    if len(info):
        epochs = job.total if job.stage == "epoch" else int(info["epoch"].max())
        alt = "Training loss and held-out accuracy after each epoch."
        st.plotly_chart(training_figure(info, epochs), key="training", config=PLOTLY_CONFIG, alt=alt)
    if any(row.get("slower", 1) < 1 for row in history):
        st.caption("A loss was no number: the run went back to its last good epoch and on at a lower learning rate.")
    if finished and finished.epochs < settings.epochs:
        st.caption(f"The loss was no number after epoch {finished.epochs} at any rate; the best epoch before is kept.")


def runs_info(runs: Sequence[FineTuned]) -> pd.DataFrame:
    """Finished runs, newest first, as people read them."""
    rows = [
        (
            100 * run.macs_fraction,
            CAPTIONS.get(run.ranking, "–"),
            100 * run.top1_before,
            100 * run.top1,
            100 * run.heldout_top1,
            run.epochs,
            how(run),
            duration(run.seconds),
            run.created[:16].replace("T", " "),
        )
        for run in reversed(runs)
    ]
    names = ["MACs, %", "Ranking", "Top-1 before, %", "Top-1 after, %", "Held-out, %", "Epochs", "Trained", "Time"]
    return pd.DataFrame(rows, columns=[*names, "Finished (UTC)"])


def show_runs(study: Study) -> None:
    """The table of finished runs, and of those that are chosen their curves and commands."""
    runs = study.finetuned
    if not runs:
        return
    st.subheader("Fine-tuned networks", anchor=False)
    table = runs_info(runs)
    two_places = {name: st.column_config.NumberColumn(format="%.2f") for name in table.columns if name.endswith("%")}
    two_places["Held-out, %"] = st.column_config.NumberColumn(
        format="%.2f",
        help="Of the epoch that was kept, as it was judged in training: in bfloat16 where the device has it.",
    )
    chosen = st.dataframe(
        table,
        key=f"runs-{len(runs)}",
        hide_index=True,
        column_config=two_places,
        alt="Every finished fine-tuning run.",
        on_select="rerun",
        selection_mode="multi-row",
    )
    rows = [row for row in chosen["selection"]["rows"] if row < len(runs)]
    if not rows:
        several = ", or several to see theirs in one chart" if len(runs) > 1 else ""
        st.caption(f"Choose a run in the table to see its curve and the command that makes it again{several}.")
        return
    picked = [list(reversed(runs))[row] for row in rows]
    figure = runs_figure([(run_name(run), training_info(run.curve)) for run in picked])
    st.plotly_chart(
        figure, key="runs-compared", config=PLOTLY_CONFIG, alt="Held-out accuracy of the chosen runs by epoch."
    )
    commands = [
        f"# {run_name(run)}{changed_note(study, run)}\n{command_here(study, run)}" for run in picked if run.made
    ]
    if commands:
        st.code("\n".join(commands), language="bash", wrap_lines=True)


def run_name(run: FineTuned) -> str:
    """A run in a legend: its budget, its ranking, and how it was trained."""
    ranking = "" if run.ranking in ("learned", "") else f", {CAPTIONS[run.ranking].lower()}"
    return f"{100 * run.macs_fraction:.1f} %{ranking}, {how(run)}"


def how(run: FineTuned) -> str:
    """How a run was trained: its recipe, and what was changed of it."""
    try:
        recipe, changes = as_recipe(TrainSettings(**run.settings))
    except (TypeError, SettingsError):  # settings that this version does not know
        return many(run.epochs, "epoch")
    words = [recipe]
    if "distill" in changes:
        words.append("with a teacher" if changes["distill"] else "no teacher")
    words += ["float16 weights"] if run.half else []
    if "epochs" in changes:
        words.append(many(changes["epochs"], "epoch"))
    words += [f"{name}={changes[name]!r}" for name in NUMBERS if name in changes]
    return ", ".join(words + ([f"seed {changes['seed']}"] if "seed" in changes else []))


def command_here(study: Study, run: FineTuned) -> str:
    """The command that made a run, of this study wherever it is by now."""
    words = shlex.split(run.made["command"])
    if "--study" in words[:-1]:
        words[words.index("--study") + 1] = str(study.path)
    return shlex.join(words)


def changed_note(study: Study, run: FineTuned) -> str:
    """A note where the command of a run leads to another network by now."""
    try:
        ranking = next((name for name in RANKINGS if name == run.ranking), study.default_ranking)
        budget = FinetuneRequest.from_arguments(shlex.split(run.made["command"])[6:]).budget
        same = keep_id(state.curve(study, ranking).at(budget)) == run.keep_id
    except LegrError:
        same = False
    return "" if same else ": made before the ranking or the shape changed; it trains another network now"


def _caption(recipe: str) -> str:
    return f"{recipe.capitalize()}: {many(RECIPES[recipe].epochs, 'epoch')}, {_WORDS[recipe]}"
