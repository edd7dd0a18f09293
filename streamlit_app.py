"""The entry of the app: lists the pages and runs the one in the address line. Start it with `python -m legr app`."""

import streamlit as st

from app.state import enter

PAGES = (
    ("pages/explore.py", "Explore"),
    ("pages/learn.py", "Learn"),
    ("pages/finetune.py", "Fine-tune & export"),
    ("pages/see.py", "See it"),
    ("pages/structure.py", "Structure"),
    ("pages/studies.py", "Studies"),
)

st.set_page_config(page_title="LeGR: trade-off explorer", layout="wide")
page = st.navigation([st.Page(path, title=title) for path, title in PAGES], position="top")
enter()
page.run()
