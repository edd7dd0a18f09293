"""All test images on the page See it: start the comparison of two networks, and show where they differ."""

import pandas as pd
import streamlit as st

from app import state
from app.views.compared_before import show_compared
from app.views.job_panel import job_panel, launch
from app.views.one_image import pick
from app.views.selected_network import Reference, SelectedNetwork, stored_comparison
from app.widgets.chart import show_chart
from app.widgets.page import guarded, show_error
from app.words import plain
from legr.charts.cells import safe_cells
from legr.charts.comparison import (
    MAX_CLASSES,
    OUTCOME_CAPTIONS,
    DifferingImage,
    classes_figure,
    classes_table,
    confusion_figure,
    confusion_table,
    differing_images,
    differing_table,
    most_changed,
    outcomes_table,
)
from legr.charts.pictures import enlarged
from legr.charts.predictions import short
from legr.escape import on_one_line
from legr.jobs import records
from legr.study.comparison import Comparison, between
from legr.study.store import Study

IMAGES_PER_PAGE = 18
_TILE_SIDE = 156  # pixels
_ALL = "All of them"
_OUTCOMES_OF_DIFFERING = {
    "only_original": OUTCOME_CAPTIONS["only_original"],
    "only_pruned": OUTCOME_CAPTIONS["only_pruned"],
    "neither": "Both wrong, differently",
}


def show_all_images(
    selected: SelectedNetwork, reference: Reference, comparison: Comparison | None, error: str, available: bool
) -> None:
    """Start the comparison on all test images, watch it, and show its results.

    Args:
        comparison: of the network with the original.
        error: why the stored comparison cannot be read; "" where it can.
        available: whether the test images are on this machine.
    """
    if error:
        show_error(error)
    _start_or_watch(selected, comparison, again=bool(error), available=available)
    if comparison is not None and reference.held:
        comparison = _beside_held(reference.held, comparison, available)
    if comparison is None:
        return
    classes = selected.study.info.classes
    _show_outcomes(comparison, reference)
    if comparison.differ.any():
        _show_differing(selected, reference, comparison, available)
    left, right = st.columns(2, gap="large")
    with left:
        _show_classes(classes_table(comparison, classes), selected.colour, reference)
    with right:
        _show_confusions(confusion_table(comparison, classes), len(classes), reference)


def _beside_held(held: SelectedNetwork, comparison: Comparison, available: bool) -> Comparison | None:
    """The network beside the held one, of which the same test images have to be known."""
    other, error = stored_comparison(held)
    if error:
        show_error(error)
    if other is None:
        job = records.latest(held.study, "compare")
        if not (job and job.active):
            st.write("The held network was not compared yet. Its predictions for every test image are needed as well.")
            if st.button("Compare the held network on all test images", type="primary", disabled=not available):
                launch(held.study, held.request)
        return None
    return between(other, comparison)


def _start_or_watch(selected: SelectedNetwork, comparison: Comparison | None, *, again: bool, available: bool) -> None:
    """The job that compares, if it runs or can be resumed for this network; else a button that starts it."""
    job = records.latest(selected.study, "compare")
    if job and job.active:
        of_selected = selected.is_compared_by(job)
        if not of_selected:
            st.caption("Another network is being compared; this one can be compared afterwards.")
        job_panel(selected.study, "compare", stays=of_selected)
        return
    resumable = bool(job and job.resumable and selected.is_compared_by(job))
    if comparison is None:
        if not resumable:  # else its panel has the button Resume
            _show_start(selected, "Compare again" if again else "Compare on all test images", available)
        show_compared(selected.study)
    if resumable:
        job_panel(selected.study, "compare")


def _show_start(selected: SelectedNetwork, label: str, available: bool) -> None:
    st.write("Not compared yet. Both networks classify every test image; their predictions are stored in the study.")
    if st.button(plain(label), type="primary", key="compare", disabled=not available):
        launch(selected.study, selected.request)


# -- the results -------------------------------------------------------------------------------------------


def _show_outcomes(comparison: Comparison, reference: Reference) -> None:
    """Accuracy of both networks, and how many images both, one or none of them classifies correctly."""
    info, total = outcomes_table(comparison), len(comparison.labels)
    images = info.set_index("outcome")["images"]
    original = (images["both"] + images["only_original"]) / total
    pruned = (images["both"] + images["only_pruned"]) / total
    norms = " (batch norms recalibrated)" if comparison.network.recalibrated else ""
    points = f"{100 * (pruned - original):+.2f}".replace("-", "−")
    st.write(
        f"On {total:,} test images {plain(reference.words)} is right on {100 * original:.2f} %, "
        f"the pruned network{norms} on {100 * pruned:.2f} % ({points} points)."
    )
    for column, row in zip(st.columns(len(info)), info.itertuples(index=False), strict=True):
        with column:
            st.metric(
                plain(reference.say(str(row.caption))),
                f"{row.images:,}",
                f"{row.percent:.1f} %",
                delta_color="off",
                delta_arrow="off",
            )


@st.fragment
@guarded()
def _show_differing(selected: SelectedNetwork, reference: Reference, comparison: Comparison, available: bool) -> None:
    """Test images with different predictions; as a fragment, so that leafing through them does not rerun the page."""
    info = differing_table(comparison, selected.study.info.classes)
    st.markdown(f"**Images that they classify differently: {len(info):,}**")
    stored = info[info["picture"] >= 0]
    if len(stored) < len(info):
        st.caption(f"Pictures of the first {len(stored):,} of them are stored in the study.")
    rows = _filtered(selected, reference, stored)
    if rows.empty:
        st.caption("There are none of this kind.")
        return
    n_pages = -(-len(rows) // IMAGES_PER_PAGE)
    first = rows["number"].iloc[0]
    key = f"gallery-{selected.comparison_name}-{len(rows)}-{first}"  # another filter starts at its first page
    page = st.session_state.get(key, 1) if n_pages > 1 else 1
    with st.container(horizontal=True, gap="medium"):
        for image in differing_images(rows.iloc[IMAGES_PER_PAGE * (page - 1) : IMAGES_PER_PAGE * page]):
            with st.container(width=_TILE_SIDE, gap="xxsmall"):
                _show_tile(selected.study, reference, comparison, image, available)
    if n_pages > 1:
        st.pagination(n_pages, key=key)


def _filtered(selected: SelectedNetwork, reference: Reference, info: pd.DataFrame) -> pd.DataFrame:
    """The rows with the outcome and the class that the user chose."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        captions = {name: reference.say(caption) for name, caption in _OUTCOMES_OF_DIFFERING.items()}
        by_outcome = {_ALL: len(info), **info["outcome"].value_counts()}
        outcome = st.segmented_control(
            "Who is right",
            [_ALL, *_OUTCOMES_OF_DIFFERING],
            default=_ALL,
            required=True,
            format_func=lambda name: f"{captions.get(name, name)} ({by_outcome.get(name, 0)})",
            key=f"gallery-kind-{selected.comparison_name}",
            wrap=True,
        )
        rows = info if outcome == _ALL else info[info["outcome"] == outcome]
        by_class = {_ALL: len(rows), **rows["label"].value_counts()}
        label = st.selectbox(
            "True class",
            [_ALL, *(name for name in selected.study.info.classes if name in by_class)],
            format_func=lambda name: f"{on_one_line(name)} ({by_class[name]})",
            key=f"gallery-class-{selected.comparison_name}-{outcome}",
            width=220,
        )
    return rows if label == _ALL else rows[rows["label"] == label]


def _show_tile(
    study: Study, reference: Reference, comparison: Comparison, image: DifferingImage, available: bool
) -> None:
    """A test image, both predictions, and a button that shows it alone."""
    picture = enlarged(comparison.pictures[image.picture], 2 * _TILE_SIDE)
    st.image(picture, width=_TILE_SIDE, output_format="PNG", alt=f"Test image {image.number}: {image.label}.")
    lines = [
        f"**{plain(image.label)}**",
        _prediction_description(reference.word, image.original, image.original_percent, image.original_right),
        _prediction_description("pruned", image.pruned, image.pruned_percent, image.pruned_right),
    ]
    st.markdown(":small[" + "]  \n:small[".join(lines) + "]")
    if available and st.button(
        f"See no. {image.number:,}",
        key=f"tile-{image.number}",
        type="tertiary",
        icon=":material/visibility:",
        on_click=pick,
        args=(study, image.number),
    ):
        state.rerun()  # the whole page, which shows one image now


def _prediction_description(network: str, name: str, percent: float, right: bool) -> str:
    colour, sign = ("green", "✓") if right else ("red", "✗")
    return f"{network} :{colour}[{sign} {plain(short(name, 14))}] {percent:.0f}\u00a0%"


def _show_classes(info: pd.DataFrame, colour: str, reference: Reference) -> None:
    st.markdown("**Accuracy of each class**")
    drawn = most_changed(info)
    if len(drawn) < len(info):
        st.caption(f"The {MAX_CLASSES} of {len(info):,} classes that change most; the table has all.")
    alt = f"Accuracy of {len(drawn)} classes, original and pruned."
    figure = classes_figure(drawn, colour)
    figure.for_each_trace(lambda trace: trace.update(name=reference.say(trace.name or "")))
    show_chart(figure, key="compared-classes", alt=reference.say(alt))
    with st.expander("As a table"):
        names = ["Class", "Images", reference.say("Original, %"), "Pruned, %", "Difference, points"]
        one_decimal = {name: st.column_config.NumberColumn(format="%.1f") for name in names[2:]}
        table = info.set_axis(names, axis=1)
        st.dataframe(safe_cells(table), hide_index=True, column_config=one_decimal, alt="Accuracy of every class.")


def _show_confusions(info: pd.DataFrame, n_classes: int, reference: Reference) -> None:
    st.markdown(f"**Confusion matrix: pruned minus {plain(reference.word)}, images**")
    if not info.to_numpy().any():
        st.caption("Every class is taken for every other one as often by both.")
        return
    which = f"The {MAX_CLASSES} of {n_classes:,} classes that change most. " if len(info) < n_classes else ""
    st.caption(
        f"{which}Blue: the pruned network predicts this more often; orange: less often. "
        "Correct predictions are on the diagonal."
    )
    alt = f"Change of the confusion matrix of {len(info)} classes, in images."
    show_chart(
        confusion_figure(info, dark=st.context.theme.type == "dark"),
        key="compared-confusions",
        alt=alt,
    )
