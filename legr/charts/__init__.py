"""Charts: tables that tests read, and Plotly figures that draw them; no Streamlit."""
