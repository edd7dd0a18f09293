"""The machinery that finds out which channels go together."""
