"""Tables of text from elsewhere, as they are shown and saved: no cell is taken for a formula by a spreadsheet."""

import pandas as pd

from legr.escape import in_csv


def safe_cells(table: pd.DataFrame) -> pd.DataFrame:
    """The table with every text made safe, names of columns too; a table on a page can be saved as CSV from there."""
    texts = {name: column.map(in_csv) for name, column in table.items() if not pd.api.types.is_numeric_dtype(column)}
    return table.assign(**{str(name): column for name, column in texts.items()}).rename(columns=in_csv)


def csv_of(table: pd.DataFrame) -> str:
    """The table as CSV, without row numbers."""
    return str(safe_cells(table).to_csv(index=False))
