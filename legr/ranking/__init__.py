"""Which filters go first, and where a budget cuts the order."""
