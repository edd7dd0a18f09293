"""Fine-tuning on a page: the settings of a run, its progress, and finished runs side by side."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app import state
from app.budget_dial.image_sizes import remember_height
from app.curves import budget_curve, measurements, network_id
from app.facts import network_name
from app.views.job_panel import result_of
from app.widgets.chart import show_chart
from app.words import plain, plural
from legr.charts.cells import safe_cells
from legr.charts.measurements import percent_of
from legr.charts.style import CAPTIONS
from legr.charts.training import runs_figure, training_description, training_figure, training_table
from legr.commands.results import FinetuneResult
from legr.errors import LegrError
from legr.escape import in_terminal, on_one_line
from legr.jobs.records import Job
from legr.progress import duration
from legr.ranking.limits import Budget
from legr.requests.again import command_again
from legr.requests.ranges import EPOCHS
from legr.requests.train import FinetuneRequest
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study, keep_id
from legr.study.supernets import SupernetRun
from legr.study.trained import original_trained, supernet_for
from legr.training.settings import POLISH, RECIPES, TrainSettings
from legr.words import second_training_words

_RECIPE, _EPOCHS, _DISTILL = "recipe", "epochs", "distill"
DEFAULT_RECIPE = "short"
_PURPOSES = {
    "quick": "a first look",
    "short": "regains most of the accuracy",
    "standard": "for use in a product",
    "paper": "as in LeGR, no teacher",
    "long": "as in published results",
    "polish": "after weights trained together",
}


def training_form(budget: Budget) -> FinetuneRequest:
    """Ask for the settings of a fine-tuning run of the network at a budget."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        recipe = st.selectbox(
            "Recipe", list(RECIPES), list(RECIPES).index(DEFAULT_RECIPE), format_func=_caption, key=_RECIPE, width=330,
            persist_state="session",
        )  # fmt: skip
        defaults = RECIPES[recipe]
        epochs = st.number_input(
            "Epochs", EPOCHS.low, EPOCHS.high, None, key=_EPOCHS, persist_state="session", width=140,
            placeholder=f"{defaults.epochs}",
            help="Passes over the training images; if empty, as many as the recipe has.",
        )  # fmt: skip
        distill = st.toggle(
            "Learn from the original", defaults.distill, key=f"{_DISTILL}-{defaults.distill}", persist_state="session",
            help="Distillation: the pruned network learns the original's outputs as well as the labels.",
        )  # fmt: skip
    return FinetuneRequest(
        budget, recipe=recipe, epochs=epochs, distill=None if distill == defaults.distill else distill
    )


def start_line(study: Study, ranking: RankingName, budget: Budget, recipe: str) -> str:
    """What a run begins with, where that is not obvious: with the whole network, or with shared weights; else ""."""
    if budget_curve(study, ranking).at(budget).units.all():
        return "Nothing is removed: this trains the original itself once more, to see what training alone gains. "
    if _supernet_of(study, ranking, budget):
        return "It begins with weights that were trained together. "
    if recipe == POLISH:
        return (
            "Polish is made for weights that were trained together, and this network has none: "
            "other recipes regain more. "
        )
    return ""


def original_line(study: Study, settings: TrainSettings) -> str:
    """What the original itself gains from a training, in a sentence; "" where nobody has trained it so."""
    run = original_trained(study, settings)
    return f"The original itself {second_training_words(run.top1_before, run.top1)}. " if run else ""


def _supernet_of(study: Study, ranking: RankingName, budget: Budget) -> SupernetRun | None:
    """The supernet whose weights a run begins with."""
    return supernet_for(study, budget_curve(study, ranking).at(budget), ranking)


def expectation(study: Study, ranking: RankingName, budget: Budget, settings: TrainSettings) -> str:
    """What finished runs tell of a run before it starts; "" where there are none.

    Either that the network was trained with these settings before, or how long the run may take. The estimate comes
    from the run with the closest MACs on the machine that trained last, with or without a teacher as this one.
    """
    runs, curve = study.finetuned, budget_curve(study, ranking)
    macs_fraction = float(curve.macs[curve.step(budget)] / curve.original.macs)
    network = network_id(study, ranking, budget)
    supernet = _supernet_of(study, ranking, budget)
    start = supernet.key if supernet else ""
    same = [run for run in runs if (run.keep_id, run.settings, run.supernet) == (network, settings, start)]
    if same:
        run = min(same, key=lambda run: run.half)
        rounded = ", and rounded to float16" if run.half else ""
        return f"Trained like this already{rounded}: {100 * run.top1:.2f} % top-1, in the table below."
    if not runs:
        return ""

    def distance(run: FineTuned) -> tuple[bool, float]:
        distill = run.settings.distill if run.settings else None
        return distill != settings.distill, abs(run.macs_fraction - macs_fraction)

    machine = runs[-1].provenance.machine
    nearest = min((run for run in runs if run.provenance.machine == machine), key=distance)
    took = f"{plural(nearest.epochs, 'epoch')} at {100 * nearest.macs_fraction:.0f} % took {duration(nearest.seconds)}"
    where = f" on {machine}" if machine else ""
    return f"About {duration(nearest.seconds / nearest.epochs * settings.epochs)}: {took}{where}."


def show_training(study: Study, job: Job) -> None:
    """What a job trains, and its curves; of a finished run all epochs, also those before it was resumed."""
    assert isinstance(job.request, FinetuneRequest)
    settings = job.request.settings
    teacher = ", learning from the original" if settings.distill else ""
    st.markdown(f"**{plain(training_title(study, job))}**")
    st.caption(plain(f"{plural(settings.epochs, 'epoch')}{teacher}."))
    finished = study.finetuned_run(Path(result_of(job, FinetuneResult).weights).stem) if job.result else None
    history = [epoch.to_dict() for epoch in finished.curve] if finished else job.history
    show_curve(history, job, key="training")
    if finished:
        st.caption(plain(before_and_after(finished)))
    if finished and finished.epochs < settings.epochs:
        st.caption(
            f"From epoch {finished.epochs + 1:d} on the loss was NaN or infinite; the best epoch before is kept."
        )


def before_and_after(run: FineTuned) -> str:
    """Both accuracies of a finished run, in a sentence."""
    begun = ", with weights trained together" if run.supernet else ""
    return f"Top-1 on the test images: {100 * run.top1_before:.2f} % before{begun}, {100 * run.top1:.2f} % after."


def show_curve(history: Sequence[Mapping[str, Any]], job: Job, *, key: str) -> None:
    """The curves of a training after each epoch, as far as it is."""
    info = training_table(history)
    if len(info):
        epochs = job.total if job.stage == "epoch" else int(info["epoch"].max())
        alt = "Training loss and held-out accuracy after each epoch."
        show_chart(training_figure(info, epochs), key=key, alt=alt)
    if any(row.get("slower", 1) < 1 for row in history):
        st.caption("A loss was NaN or infinite: the run went back one epoch and continued at a lower learning rate.")


def training_title(study: Study, job: Job) -> str:
    """Of which network a training chart is, which need not be the one on screen."""
    assert isinstance(job.request, FinetuneRequest)
    when = "In training" if job.active else "Trained last" if job.state == "done" else "Not trained to the end"
    return f"{when}: the {network_name(study, job.request.budget, job.request.ranking)} network"


def listed(runs: Sequence[FineTuned]) -> list[FineTuned]:
    """Runs by rising cost of their networks; of those of one network the newest first."""
    newest_first = list(reversed(runs))
    return sorted(newest_first, key=lambda run: run.macs_fraction)


def runs_table(runs: Sequence[FineTuned], off_order: Container[str] = ()) -> pd.DataFrame:
    """The table of finished runs, in the order of `listed`.

    Args:
        off_order: keys of the runs to whose networks no ranking leads any more.
    """
    rows = [
        (
            100 * run.macs_fraction,
            CAPTIONS.get(run.ranking, "–") + (", as it was before" if run.key in off_order else ""),
            100 * run.top1_before,
            100 * run.top1,
            100 * run.heldout_top1,
            run.epochs,
            f"{on_one_line(run.name)}: {training_description(run)}" if run.name else training_description(run),
            duration(run.seconds),
            run.created[:16].replace("T", " "),
        )
        for run in listed(runs)
    ]
    names = ["MACs, %", "Ranking", "Top-1 before, %", "Top-1 after, %", "Held-out, %", "Epochs", "Trained", "Time"]
    return pd.DataFrame(rows, columns=[*names, "Finished (UTC)"])


def show_runs(study: Study, ranking: RankingName) -> None:
    """The table of finished runs; of those selected in it, their curves and commands.

    Args:
        ranking: that of the slider.
    """
    runs = study.finetuned
    st.header("Fine-tuned networks", anchor=False)
    if not runs:
        st.caption("None yet. Fine-tuning regains most of the accuracy lost by cutting: choose a budget and start it.")
        return
    measured = measurements(study)
    table = runs_table(runs, {run.key for run in runs if measured.order_of(run) is None})
    two_decimals = {name: st.column_config.NumberColumn(format="%.2f") for name in table.columns if name.endswith("%")}
    two_decimals["Held-out, %"] = st.column_config.NumberColumn(
        format="%.2f",
        help="Of the epoch that was kept, as scored in training: in bfloat16 where the device has it.",
    )
    selection = st.dataframe(
        safe_cells(table),
        key=f"runs-{len(runs)}",
        hide_index=True,
        column_config=two_decimals,
        alt="Every finished fine-tuning run.",
        on_select="rerun",
        selection_mode="multi-row",
    )
    rows = [row for row in selection["selection"]["rows"] if row < len(runs)]
    if not rows:
        several = ", or several to see theirs in one chart" if len(runs) > 1 else ""
        st.caption(f"Select a run in the table to see its curve and the command that repeats it{several}.")
        return
    selected = [listed(runs)[row] for row in rows]
    if len(selected) == 1:
        _offer_to_open(study, selected[0], ranking)
        if selected[0].settings and selected[0].macs_fraction < 1:
            st.caption(plain(original_line(study, selected[0].settings)))
    curves = [(run_name(run), training_table([epoch.to_dict() for epoch in run.curve])) for run in selected]
    figure = runs_figure(curves)
    show_chart(figure, key="runs-compared", alt="Held-out accuracy of the selected runs by epoch.")
    commands = [
        f"# {run_name(run)}{changed_note(study, run)}\n{command}"
        for run in selected
        if (command := command_again(run.provenance.command, study.path))
    ]
    if commands:
        st.code(in_terminal("\n".join(commands)), language="bash", wrap_lines=True)


def _offer_to_open(study: Study, run: FineTuned, ranking: RankingName) -> None:
    """A button that opens the network of a run, or a sentence that it cannot be opened."""
    measured = measurements(study)
    if run.key in measured.openable:
        st.button("Open this network", key=f"open-{run.key}", on_click=_open, args=(study, run, ranking))
    else:
        st.caption("Its kept set is not stored, and no ranking leads to it any more: it cannot be opened.")


def _open(study: Study, run: FineTuned, ranking: RankingName) -> None:
    """Go to a network: by the slider where it leads there, else by its run."""
    remember_height(study, None)
    state.move_slider(percent_of(run.macs_fraction))
    on_slider = ranking in (measurements(study).leads or {}).get(run.keep_id, ())
    state.open_run(None if on_slider else run.key)


def run_name(run: FineTuned) -> str:
    """The name of a run in a legend: that which the user gave it, its budget, its ranking, and how it was trained."""
    ranking = "" if run.ranking in ("learned", "") else f", {CAPTIONS[run.ranking].lower()}"
    own = f"{on_one_line(run.name)}: " if run.name else ""
    return f"{own}{100 * run.macs_fraction:.1f} %{ranking}, {training_description(run)}"


def changed_note(study: Study, run: FineTuned) -> str:
    """A note where the command of a run would train another network now; "" where it would not."""
    try:
        curve = budget_curve(study, run.ranking or study.default_ranking)
        same = run.budget is not None and keep_id(curve.at(run.budget)) == run.keep_id
    except LegrError:
        same = False
    return "" if same else ": the ranking or the constraints have changed since: it trains another network now"


def _caption(recipe: str) -> str:
    return f"{recipe.capitalize()}: {plural(RECIPES[recipe].epochs, 'epoch')}, {_PURPOSES[recipe]}"
