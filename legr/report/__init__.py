"""The report on one network: a page that one can hand on, in one file that asks no host for anything. No torch."""
