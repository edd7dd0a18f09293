"""Images of a study that are not on this machine: a notice, and ways to name their folder or to download them."""

import streamlit as st

from app.run_command import run_command
from app.widgets.page import show_error
from app.words import plain
from legr.study.store import Study
from legr.study.title import data_title

NO_IMAGES = "The images of this study are not on this machine: name their folder on this page first."


def data_is_here(study: Study) -> bool:
    """Whether the images of a study are on this machine."""
    from legr.data.folders import find_source

    return find_source(study.info.data_name, study.info.data_fingerprint) is not None


def data_notice(study: Study) -> bool:
    """Return whether the images are here; where they are not, say so and offer to name or download them."""
    if data_is_here(study):
        return True
    from legr.data.folders import downloadable

    command = ["data", "--study", str(study.path), "--json"]
    cifar = downloadable(study.info.data_name, study.info.data_fingerprint)
    with st.container(border=True, horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(
            plain(f"The images of this study ({data_title(study.info.data_name)}) are not on this machine.")
            + " Learning, fine-tuning and measuring need them.",
            width="content",
        )
        buttons = st.container(horizontal=True, width="content")
        download = cifar is not None and buttons.button(f"Download {cifar.title} (170 MB)", type="primary")
        with buttons.popover("Use a folder"), st.form("data-folder", border=False):
            folder = st.text_input(
                "Folder that holds them", placeholder="a folder with train/ and val/, or with parquet files"
            ).strip()
            submitted = st.form_submit_button("Use this folder")
    if submitted and folder:
        _run("Comparing the images with those of the study", [*command, "--folder", folder])
    if download and cifar is not None:
        _run(f"Downloading {cifar.title}", [*command, "--download"])
    return False


def _run(activity: str, arguments: list[str]) -> None:
    """Run a command under a spinner, then draw the page anew or show the error."""
    with st.spinner(f"{plain(activity)} …", show_time=True):
        outcome = run_command(arguments)
    if outcome.ok:
        st.rerun()
    show_error(outcome.sentence)
