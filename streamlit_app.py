"""The entry of the app: lists the pages and runs the one in the address line. Start it with `python -m legr app`."""

from pathlib import Path

import streamlit as st

from app.navigation import pages
from app.state import enter

FRAME = Path(__file__).parent / "app" / "widgets" / "frame.css"

st.set_page_config(page_title="LeGR: trade-off explorer", layout="wide")
page = st.navigation(pages(), position="top")
st.html(FRAME)
enter()
page.run()
