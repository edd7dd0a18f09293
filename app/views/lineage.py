"""Where the networks of a study came from, as a map: a click opens exactly that network; runs are named and removed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from app import state
from app.browser_files import entry
from app.budget_dial.image_sizes import remember_height
from app.budget_dial.lineage_types import LineageData, LineageOrigin
from app.budget_dial.opened import network_of_run
from app.curves import budget_curve, measurements
from app.views.export import exported_name, finished_exports
from app.views.job_panel import result_of
from app.views.weights import Weights, set_weights
from app.widgets.page import show_error
from app.words import plain
from legr.charts.lineage import COLUMNS, ExportedNetwork, Origin, lineage
from legr.charts.measurements import percent_of
from legr.commands.results import ExportResult
from legr.errors import LegrError
from legr.escape import in_data
from legr.jobs import records
from legr.requests.export import ExportRequest
from legr.study.heights import other_height
from legr.study.run_names import LONGEST_NAME, name_run, remove_run
from legr.study.store import Study
from legr.study.supernets import SupernetRun, supernet_of, supernet_run
from legr.study.trained import trained_runs

_KEY, _CHOSEN = "lineage", "lineage-chosen"
_UNOPENED = "No ranking of today leads there, and it has no weights of its own: it cannot be opened."
_UNOPENED_SUPERNET = "Another training of this ranking's networks is better on held-out images, and is handed out."

_mount = st.components.v2.component(
    "legr.lineage",
    html='<section class="bd-lineage" aria-label="Where networks came from"></section>',
    js=entry("lineage.js", "map of networks"),
    isolate_styles=False,  # the dial's styles have to reach it
)


def show_lineage(study: Study) -> None:
    """Show the map where something was trained or exported, and what can be done with the training that is chosen."""
    measured, place = measurements(study), f"{_CHOSEN}-{study.path.name}"
    origins = lineage(study, measured, _exports(study), lambda name: budget_curve(study, name))
    if len(origins) < 2:
        return
    st.header("Where networks came from", anchor=False)
    key, is_open = st.session_state.get(place, ("", False))
    chosen = next((origin for origin in origins if origin.key == key), None)

    def receive() -> None:
        found = st.session_state[_KEY].get("chosen")
        origin = next((origin for origin in origins if origin.key == found), None)
        if origin is not None:
            st.session_state[place] = origin.key, _open(study, origin)

    _mount(key=_KEY, data={**lineage_data(origins, chosen.key if chosen else None)}, on_chosen_change=receive)
    if chosen is None:
        st.caption("Choose a box to open its network; a training can then be named or removed.")
        return
    if not is_open:
        st.caption(_UNOPENED_SUPERNET if chosen.run and chosen.ranking and chosen.kind != "run" else _UNOPENED)
    if chosen.kind in ("run", "supernet"):
        _show_run(study, chosen)


def lineage_data(origins: Sequence[Origin], chosen: str | None) -> LineageData:
    """What the browser is sent.

    Args:
        chosen: key of the origin that is chosen.
    """
    known = [origin.top1 for origin in origins if origin.top1 is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    places = {origin.key: place for place, origin in enumerate(origins)}

    def shade(top1: float | None) -> float | None:
        return None if top1 is None or high <= low else round((top1 - low) / (high - low), 3)

    sent: list[LineageOrigin] = [
        {
            "key": origin.key,
            "parent": places.get(origin.parent),
            "column": origin.column,
            "row": origin.row,
            "title": origin.title,
            "told": origin.told,
            "top1": None if origin.top1 is None else round(100 * origin.top1, 2),
            "shade": shade(origin.top1),
            "today": origin.today,
            "chosen": origin.key == chosen,
        }
        for origin in origins
    ]
    data: LineageData = {
        "columns": list(COLUMNS),
        "origins": sent,
        "rows": 1 + int(max((origin.row for origin in origins), default=0.0)),
        "lowest": round(100 * low, 2) if known else None,
        "highest": round(100 * high, 2) if known else None,
    }
    return in_data(data)


def _exports(study: Study) -> list[ExportedNetwork]:
    """Finished exports; those of earlier versions that did not note their network are left out."""
    found = []
    for job in finished_exports(study):
        request, result = job.request, result_of(job, ExportResult)
        assert isinstance(request, ExportRequest)
        if not result.network:
            continue
        found.append(
            ExportedNetwork(
                key=job.id,
                keep_id=result.network,
                run=result.run or result.supernet,
                title=exported_name(study, request),
                when=datetime.fromtimestamp(job.created, UTC).strftime("%Y-%m-%d") if job.created else "",
                ranking=request.ranking or study.default_ranking,
                macs_fraction=result.macs_fraction,
                height=other_height(study, request.size),
            )
        )
    return found


def _open(study: Study, origin: Origin) -> bool:
    """Go to exactly the network of a box: by the slider where that leads to it, else by its run.

    Returns:
        Whether there is a way to it today.
    """
    if origin.kind == "original":
        curve = budget_curve(study, study.default_ranking)
        return int(curve.macs[0]) == curve.original.macs and _go(study, origin, "pruned")  # else a layer is pinned
    if origin.kind == "ranking":
        return _go(study, origin, None)
    run = supernet_run(study, origin.run) if origin.run else None
    if run is not None:
        return supernet_of(study, run.ranking) == run and _go(study, origin, "together", run)
    if origin.run:
        return _open_run(study, origin)
    return _go(study, origin, "pruned")


def _open_run(study: Study, origin: Origin) -> bool:
    """A network with the weights of exactly this run: by the slider only where it hands these out."""
    opened = network_of_run(study, origin.run)
    if opened is None:
        return False
    if opened.order and trained_runs(study, opened.keep, opened.order, origin.height)[:1] == (opened.run,):
        there = replace(origin, ranking=opened.order, macs_fraction=opened.run.macs_fraction)
        return _go(study, there, "finetuned")
    if origin.height is not None:
        return False  # a network that is opened by its run has the study's own images
    set_weights("finetuned")
    remember_height(study, None)
    state.move_slider(percent_of(opened.run.macs_fraction))
    state.open_run(origin.run)
    return True


def _go(study: Study, origin: Origin, weights: Weights | None, supernet: SupernetRun | None = None) -> bool:
    """Go to the ranking of a box, to its budget and to weights of its kind; not where no ranking of today leads there.

    Args:
        supernet: whose networks the slider must stand at.
    """
    if origin.ranking is None:
        return False
    state.open_run(None)
    remember_height(study, origin.height)
    state.remember_view("ranking", origin.ranking)
    if weights is not None:
        set_weights(weights)
    if origin.macs_fraction is not None:
        state.move_slider(percent_of(origin.macs_fraction))
    elif supernet is not None:
        trained = [point.macs_fraction for point in supernet.points if point.macs_fraction < 1]
        now = state.budget_percent() / 100
        state.move_slider(percent_of(min(max(now, min(trained)), max(trained))) if trained else 100.0)
    return True


def _show_run(study: Study, origin: Origin) -> None:
    """Name a run, or remove it."""
    key = origin.key.partition(":")[2]
    if study.info.sample:
        st.caption("The runs of a sample stay as they are; duplicate it on the page Studies to change its copy.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        form = st.form(f"name-{key}", border=False, width=480)
        with form, st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(
                "Name of this training",
                origin.name,
                LONGEST_NAME,
                key=f"run-name-{key}-{origin.name}",
                placeholder=origin.title,
            )
            if st.form_submit_button("Save the name"):
                _change(study, lambda: name_run(study, key, name))
        with st.popover("Remove", type="tertiary"):
            what = f"Remove “{origin.title}”, its weights and what was measured with them? That cannot be undone."
            st.write(plain(what))
            if st.button("Remove for good", key=f"remove-{key}", type="primary"):
                _change(study, lambda: _remove(study, key))


def _remove(study: Study, key: str) -> None:
    remove_run(study, key)
    if state.opened_run() == key:
        state.open_run(None)


def _change(study: Study, change: Callable[[], None]) -> None:
    """Change a run where no job is at work in the study, and draw the page anew."""
    try:
        with study.lock("jobs"):  # none begins meanwhile
            if any(job.active for job in records.list_jobs(study)):
                show_error("a job of this study is at work; wait for it, or cancel it, and try again")
                return
            change()
    except (LegrError, OSError) as error:
        show_error(str(error))
        return
    state.rerun()
