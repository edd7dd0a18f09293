"""What the pages share: which study is open, the charts, the widgets, the commands they run.

Nothing here imports torch; all heavy work runs in processes of its own.
"""
