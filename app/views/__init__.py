"""Views: one subject of a page each, in Streamlit."""
