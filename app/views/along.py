"""Along the slider, on See it: which classes lose at which budget, and how test images are classified as one drags."""

import streamlit as st

from app.browser_files import entry
from app.views.along_data import along_data, predictions_along
from app.views.job_panel import job_panel, launch
from app.widgets.chart import show_chart
from app.widgets.images import data_notice
from app.widgets.page import show_error
from app.words import plain
from legr.charts.cells import csv_of, safe_cells
from legr.charts.classes_along import classes_along_figure, classes_along_table, listed_classes
from legr.charts.style import CAPTIONS
from legr.escape import file_name
from legr.jobs import records
from legr.jobs.records import Job
from legr.requests.measure import ClassesRequest
from legr.study.along import PredictionsAlong
from legr.study.records import RankingName
from legr.study.store import Study

_mount = st.components.v2.component(
    "legr.along",
    html='<section class="bd-along"></section>',
    js=entry("along.js", "chart of classes"),
    isolate_styles=False,  # the dial's styles have to reach it
)


def show_along(study: Study, ranking: RankingName) -> None:
    """Show what the ranking's networks predict, or start the job that asks them."""
    along, error = predictions_along(study, ranking)
    if error:
        show_error(error)
    job = records.latest(study, "classes")
    is_own = job is not None and _is_of(job, study, ranking)
    if job and (job.active or (along is None and is_own and job.resumable)):
        if not is_own:
            st.caption("The networks of another ranking are being asked; those of this one can be asked afterwards.")
        job_panel(study, "classes", stays=is_own)
        is_offered = not job.active and not is_own
    else:
        is_offered = True
    if along is not None:
        _mount(key="along", data={**along_data(along, study.info.classes)})
        _show_lines(study, ranking, along)
    elif is_offered:
        _show_start(study, ranking, again=bool(error))


def _is_of(job: Job, study: Study, ranking: RankingName) -> bool:
    """Whether a job asks the networks of a ranking."""
    return isinstance(job.request, ClassesRequest) and (job.request.ranking or study.default_ranking) == ranking


def _show_start(study: Study, ranking: RankingName, *, again: bool) -> None:
    st.write(
        f"Networks along the ranking {CAPTIONS[ranking]} classify every test image. Then each class has its accuracy "
        "from the original to the smallest of them, and some images are classified anew while you drag."
    )
    if data_notice(study) and st.button(
        "Ask them again" if again else "Classify all test images along the slider", type="primary", key="classes"
    ):
        launch(study, ClassesRequest(ranking))


def _show_lines(study: Study, ranking: RankingName, along: PredictionsAlong) -> None:
    """Classes over the budget, as a chart, a table and a file."""
    classes, table = study.info.classes, classes_along_table(along, study.info.classes)
    drawn, n_classes = len(listed_classes(along, classes)), len(table) - 1
    st.markdown("**Accuracy of each class along the slider**")
    trained = "trained together with all budgets" if along.about.supernet else "as they are cut, without any training"
    which = (
        f"The {drawn} of {n_classes:,} classes that lose most are drawn; the table has all. "
        if drawn < n_classes
        else ""
    )
    st.caption(
        plain(
            f"{len(along.about.networks) - 1} networks of the ranking {CAPTIONS[ranking]}, {trained}, and the "
            f"original, on {len(along.labels):,} test images. {which}In colour the classes that lose most."
        )
    )
    alt = f"Accuracy of {drawn} classes and of all images at {len(along.about.networks)} budgets."
    show_chart(classes_along_figure(along, classes), key="classes-along", alt=alt)
    with st.expander("As a table"):
        names = {"class": st.column_config.TextColumn("Class"), "images": st.column_config.NumberColumn("Images")}
        shares = {name: st.column_config.NumberColumn(format="%.1f") for name in table.columns[2:]}
        st.dataframe(
            safe_cells(table),
            hide_index=True,
            column_config=names | shares,
            alt="Top-1 of every class at every budget.",
        )
        st.download_button(
            "Download (CSV)",
            lambda: csv_of(table),
            file_name(f"{study.path.name}-{ranking}-classes.csv"),
            "text/csv",
            on_click="ignore",
        )
