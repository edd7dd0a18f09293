"""The entry of the app: lists the pages and runs the one in the address line. Start it with `python -m legr app`."""

from pathlib import Path

import streamlit as st

from app.entry import enter
from app.navigation import choose_page

FRAME = Path(__file__).parent / "app" / "widgets" / "frame.css"

page = choose_page()
st.html(FRAME)
enter()
page.run()
