"""Where the networks of a study came from, as a map: a click opens exactly that network; runs are named and removed."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import streamlit as st

from app import state
from app.browser_files import entry
from app.budget_dial.image_sizes import remember_height
from app.budget_dial.lineage_types import LineageData, LineageOrigin
from app.budget_dial.opened import network_of_run
from app.curves import budget_curve, measurements
from app.views.export import exported_name, finished_exports
from app.views.selected_network import set_weights
from app.widgets.page import show_error
from app.words import plain
from legr.charts.lineage import COLUMNS, ExportedNetwork, Origin, lineage
from legr.charts.measurements import percent_of
from legr.errors import LegrError
from legr.escape import in_data
from legr.jobs import records
from legr.requests.export import ExportRequest
from legr.requests.options import Request
from legr.study.kept_sets import keep_id
from legr.study.records import RankingName
from legr.study.run_names import LONGEST_NAME, name_run, remove_run
from legr.study.store import Study
from legr.study.supernets import SupernetRun, supernet_of, supernet_run
from legr.study.trained import trained_runs

_KEY, _CHOSEN = "lineage", "lineage-chosen"

_mount = st.components.v2.component(
    "legr.lineage",
    html='<section class="bd-lineage" aria-label="Where networks came from"></section>',
    js=entry("lineage.js", "map of networks"),
    isolate_styles=False,  # the dial's styles have to reach it
)


def show_lineage(study: Study) -> None:
    """Show the map where something was trained or exported, and what can be done with the training that is chosen."""
    origins, place = lineage(study, measurements(study), _exports(study)), f"{_CHOSEN}-{study.path.name}"
    if len(origins) < 2:
        return
    st.header("Where networks came from", anchor=False)
    key, is_open = st.session_state.get(place, ("", False))
    chosen = next((origin for origin in origins if origin.key == key), None)

    def receive() -> None:
        found = st.session_state[_KEY].get("chosen")
        origin = next((origin for origin in origins if origin.key == found), None)
        if origin is not None:
            st.session_state[place] = origin.key, _open(study, origins, origin)

    _mount(key=_KEY, data={**lineage_data(origins, chosen.key if chosen else None)}, on_chosen_change=receive)
    if chosen is None:
        st.caption("Choose a box to open its network; a training can then be named or removed.")
        return
    if not is_open:
        st.caption("No ranking of today leads there, and it has no weights of its own: it cannot be opened.")
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
    found = []
    for job in finished_exports(study):
        request = job.request
        assert isinstance(request, ExportRequest)
        name = exported_name(study, request)
        when = datetime.fromtimestamp(job.created, UTC).strftime("%Y-%m-%d") if job.created else ""
        found.append(ExportedNetwork(job.id, request.network or "", request.run or "", name, when, request.ranking))
    return found


def _open(study: Study, origins: Sequence[Origin], origin: Origin) -> bool:
    """Go to exactly the network of a box: by the slider where that leads to it, else by its run.

    Returns:
        Whether there is a way to it today.
    """
    name = origin.key.partition(":")[2]
    match origin.kind:
        case "original":
            return _go(study, study.default_ranking, 1.0)
        case "ranking":
            ranking = next((one for one in study.rankings if one == name), None)
            return _go(study, ranking, None)
        case "network":
            return _open_network(study, name)
        case "run":
            return _open_run(study, name)
        case "supernet":
            run = supernet_run(study, name)
            return run is not None and _open_supernet(study, run, None)
        case "export":
            job = next((job for job in finished_exports(study) if job.id == name), None)
            return job is not None and _open_export(study, origins, origin, job.request)


def _open_network(study: Study, keep_id: str) -> bool:
    """A network as it was cut; where today's order does not lead to it, with the weights of its best run."""
    measured = measurements(study)
    known, ranking = measured.known.get(keep_id), next(iter((measured.leads or {}).get(keep_id, ())), None)
    if known and ranking:
        set_weights("pruned")
        return _go(study, ranking, known.macs_fraction)
    return bool(known and known.best_run and _open_run(study, known.best_run.key))


def _open_run(study: Study, key: str) -> bool:
    """A network with the weights of exactly this run: by the slider only where it hands these out."""
    opened = network_of_run(study, key)
    if opened is None:
        return False
    set_weights("finetuned")
    if opened.order and trained_runs(study, opened.keep, opened.order)[:1] == (opened.run,):
        return _go(study, opened.order, opened.run.macs_fraction)
    remember_height(study, None)
    state.move_slider(percent_of(opened.run.macs_fraction))
    state.open_run(key)
    return True


def _open_supernet(study: Study, run: SupernetRun, fraction: float | None) -> bool:
    """The networks of a supernet, if these are the ones that its ranking hands out today."""
    if supernet_of(study, run.ranking) != run:
        return False
    set_weights("together")
    return _go(study, run.ranking, fraction)


def _open_export(study: Study, origins: Sequence[Origin], origin: Origin, request: Request) -> bool:
    """The network of an export: that of its run, else that of its budget if this is the same today."""
    parent = next((other for other in origins if other.key == origin.parent), None)
    if parent is None or not isinstance(request, ExportRequest):
        return False
    key = parent.key.partition(":")[2]
    if parent.kind == "run":
        return _open_run(study, key)
    ranking = request.ranking or study.default_ranking
    if ranking not in study.rankings:
        return False
    curve = budget_curve(study, ranking)
    try:
        at = curve.step(request.budget)
    except LegrError:  # the order of today does not reach it
        return False
    if request.network not in (None, keep_id(curve.keep(at))):
        return False
    fraction, run = float(curve.macs[at] / curve.original.macs), supernet_run(study, key)
    if parent.kind == "supernet":
        is_open = run is not None and _open_supernet(study, run, fraction)
    else:
        set_weights("pruned")
        is_open = _go(study, ranking, fraction)
    remember_height(study, request.size)
    return is_open


def _go(study: Study, ranking: RankingName | None, fraction: float | None) -> bool:
    """Go to a ranking, and to a budget on it; not where there is no such ranking."""
    if ranking is None:
        return False
    state.open_run(None)
    remember_height(study, None)
    state.remember_view("ranking", ranking)
    if fraction is not None:
        state.move_slider(percent_of(fraction))
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
                "Name of this training", origin.name, LONGEST_NAME, key=f"run-name-{key}", placeholder=origin.title
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
    if any(job.active for job in records.list_jobs(study)):
        show_error("a job of this study is at work; wait for it, or cancel it, and try again")
        return
    try:
        change()
    except (LegrError, OSError) as error:
        show_error(str(error))
        return
    state.rerun()
