"""All test images: start the comparison of two networks, and show where they differ.

It does not know how they are compared.
"""

import pandas as pd
import streamlit as st

from app import state
from app.charts.comparison import (
    MOST,
    OUTCOME_CAPTIONS,
    DifferingImage,
    classes_figure,
    classes_info,
    confusion_figure,
    confusion_info,
    differing_images,
    differing_info,
    most_changed,
    outcomes_info,
)
from app.charts.measurements import percent_of
from app.charts.pictures import enlarged
from app.charts.predictions import short
from app.charts.style import PLOTLY_CONFIG
from app.views.job_panel import job_panel, launch
from app.views.one_image import pick
from app.views.selected_network import SelectedNetwork, go_to_weights
from app.widgets.page import guarded, show_error
from app.words import plain
from legr.errors import LegrError, StudyError
from legr.jobs import records
from legr.study.comparison import ComparedNetwork, Comparison, list_compared, load_comparison
from legr.study.store import Study, keep_id

A_PAGE = 18  # pictures
_TILE = 156  # pixels
_OTHERS = 6  # buttons to networks that were compared
_EVERY = "All of them"
_DIFFERENT = {
    "only_original": OUTCOME_CAPTIONS["only_original"],
    "only_pruned": OUTCOME_CAPTIONS["only_pruned"],
    "neither": "Both wrong, differently",
}


def stored(shown: SelectedNetwork) -> tuple[Comparison | None, str]:
    """The comparison of a network, and what is wrong with its file."""
    try:
        return load_comparison(shown.study, shown.name), ""
    except StudyError as error:
        return None, str(error)


def show_all(shown: SelectedNetwork, comparison: Comparison | None, problem: str, available: bool) -> None:
    """Everything that is known of all test images.

    Args:
        problem: why the comparison that is stored cannot be read.
        available: whether the test images are on this machine.
    """
    st.subheader("All test images", anchor=False)
    _work(shown, comparison, problem, available)
    if comparison is None:
        return
    classes = shown.study.info.classes
    _counts(shown, comparison)
    if comparison.differ.any():
        _gallery(shown, comparison, available)
    left, right = st.columns(2, gap="large")
    with left:
        _classes(classes_info(comparison, classes), shown.colour)
    with right:
        _confusions(confusion_info(comparison, classes), len(classes))


def _work(shown: SelectedNetwork, comparison: Comparison | None, problem: str, available: bool) -> None:
    job = records.latest(shown.study, "compare")
    active = bool(job and job.active)
    own = bool(job and (active or job.resumable) and shown.is_of(job))
    if problem:
        show_error(problem)
    if comparison is None and not active and not own:  # its own panel has a button to go on
        st.write("Not compared yet: both networks answer every test image, and what they say is kept in the study.")
        label = "Compare again" if problem else "Compare on all test images"
        if st.button(label, type="primary", key="compare", disabled=not available):
            launch(shown.study, shown.request)
    if comparison is None and not active:
        _others(shown)
    if active and not own:
        st.caption("Another network is being compared; this one can be afterwards.")
    if active or own:
        job_panel(shown.study, "compare", stays=own)


def _others(shown: SelectedNetwork) -> None:
    """Ways to networks of this study that were compared."""
    found = [network for network in list_compared(shown.study) if _is_current(shown, network)][:_OTHERS]
    if not found:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Compared so far:", width="content")
        for number, network in enumerate(found):
            tuned = ", fine-tuned" if network.finetuned else ""
            label = f"{100 * network.macs_fraction:.1f} %, {network.ranking}{tuned}"
            st.button(label, key=f"compared-{number}", on_click=_go, args=(shown, network))


def _is_current(shown: SelectedNetwork, network: ComparedNetwork) -> bool:
    """Whether the ranking still leads to this network at its budget."""
    try:
        curve = state.curve(shown.study, network.ranking)  # type: ignore[arg-type]
        return keep_id(curve.at(macs=percent_of(network.macs_fraction) / 100)) == network.keep_id
    except (LegrError, KeyError, ValueError):
        return False


def _go(shown: SelectedNetwork, network: ComparedNetwork) -> None:
    state.keep_budget(percent_of(network.macs_fraction))
    state.keep_view("ranking", network.ranking)
    go_to_weights(network.finetuned)


# -- what was found ----------------------------------------------------------------------------------------


def _counts(shown: SelectedNetwork, comparison: Comparison) -> None:
    info, total = outcomes_info(comparison), len(comparison.labels)
    right = info.set_index("outcome")["images"]
    original = (right["both"] + right["only_original"]) / total
    pruned = (right["both"] + right["only_pruned"]) / total
    norms = " (batch norms recalibrated)" if comparison.network.recalibrated else ""
    points = f"{100 * (pruned - original):+.2f}".replace("-", "−")
    st.write(
        f"On {total:,} test images the original is right on {100 * original:.2f} %, the pruned network{norms} on "
        f"{100 * pruned:.2f} % ({points} points)."
    )
    with st.container(horizontal=True):
        for row in info.itertuples(index=False):
            st.metric(row.caption, f"{row.images:,}", f"{row.percent:.1f} %", delta_color="off", delta_arrow="off")


@st.fragment
@guarded()
def _gallery(shown: SelectedNetwork, comparison: Comparison, available: bool) -> None:
    """Test images on which the two differ; only this part runs again when another page of it is chosen."""
    info = differing_info(comparison, shown.study.info.classes)
    st.markdown(f"**Images they answer differently: {len(info):,}**")
    kept = info[info["picture"] >= 0]
    if len(kept) < len(info):
        st.caption(f"Pictures of the first {len(kept):,} of them are kept in the study.")
    chosen = _filtered(shown, kept)
    if chosen.empty:
        st.caption("None of this kind.")
        return
    pages = -(-len(chosen) // A_PAGE)
    key = f"gallery-{shown.name}-{len(chosen)}-{chosen['number'].iloc[0]}"  # another choice begins at its first page
    page = st.session_state.get(key, 1) if pages > 1 else 1
    with st.container(horizontal=True, gap="medium"):
        for image in differing_images(chosen.iloc[A_PAGE * (page - 1) : A_PAGE * page]):
            with st.container(width=_TILE, gap="xxsmall"):
                _tile(shown.study, comparison, image, available)
    if pages > 1:
        st.pagination(pages, key=key)


def _filtered(shown: SelectedNetwork, info: pd.DataFrame) -> pd.DataFrame:
    """Rows of the kind and of the class that were chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by_outcome = {_EVERY: len(info), **info["outcome"].value_counts()}
        kind = st.segmented_control(
            "Who is right",
            [_EVERY, *_DIFFERENT],
            default=_EVERY,
            required=True,
            format_func=lambda name: f"{_DIFFERENT.get(name, name)} ({by_outcome.get(name, 0)})",
            key=f"gallery-kind-{shown.name}",
            wrap=True,
        )
        some = info if kind == _EVERY else info[info["outcome"] == kind]
        by_class = {_EVERY: len(some), **some["label"].value_counts()}
        present = [name for name in shown.study.info.classes if name in by_class]
        label = st.selectbox(
            "True class",
            [_EVERY, *present],
            format_func=lambda name: f"{name} ({by_class[name]})",
            key=f"gallery-class-{shown.name}-{kind}",
            width=220,
        )
    return some if label == _EVERY else some[some["label"] == label]


def _tile(study: Study, comparison: Comparison, image: DifferingImage, available: bool) -> None:
    """A test image, both predictions, and a button that shows it at the top of the page."""
    picture = enlarged(comparison.pictures[image.picture], 2 * _TILE)
    st.image(picture, width=_TILE, output_format="PNG", alt=f"Test image {image.number}: {image.label}.")
    lines = [
        f"**{plain(image.label)}**",
        _prediction_words("original", image.original, image.original_percent, image.original_right),
        _prediction_words("pruned", image.pruned, image.pruned_percent, image.pruned_right),
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
        state.announce(f"Test image {image.number:,} is shown above.")
        st.rerun()  # the whole page, as the image is shown outside this fragment


def _prediction_words(network: str, name: str, percent: float, right: bool) -> str:
    colour, sign = ("green", "✓") if right else ("red", "✗")
    return f"{network} :{colour}[{sign} {plain(short(name, 14))}] {percent:.0f}\u00a0%"


def _classes(info: pd.DataFrame, colour: str) -> None:
    st.markdown("**Right answers of each class**")
    shown = most_changed(info)
    if len(shown) < len(info):
        st.caption(f"The {MOST} of {len(info):,} classes that change most; the table has all.")
    alt = f"Accuracy of {len(shown)} classes, original and pruned."
    st.plotly_chart(classes_figure(shown, colour), key="compared-classes", config=PLOTLY_CONFIG, alt=alt)
    with st.expander("As a table"):
        names = ["Class", "Images", "Original, %", "Pruned, %", "Difference, points"]
        one_place = {name: st.column_config.NumberColumn(format="%.1f") for name in names[2:]}
        table = info.set_axis(names, axis=1)
        st.dataframe(table, hide_index=True, column_config=one_place, alt="Accuracy of every class.")


def _confusions(info: pd.DataFrame, n_classes: int) -> None:
    st.markdown("**What is taken for what: pruned minus original, images**")
    some = f"The {MOST} of {n_classes:,} classes that change most. " if len(info) < n_classes else ""
    st.caption(f"{some}Blue: the pruned network says so more often; orange: less often. On the diagonal it is right.")
    alt = f"Change of the confusions among {len(info)} classes, in images."
    st.plotly_chart(
        confusion_figure(info, dark=st.context.theme.type == "dark"),
        key="compared-confusions",
        config=PLOTLY_CONFIG,
        alt=alt,
    )
