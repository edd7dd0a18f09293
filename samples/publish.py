"""Turn a study into a sample of the program: what a reader of it needs, with a note, never written again.

It does not know how the study was made.
"""

import shutil
from pathlib import Path

from legr.study.shelf import save_note
from legr.study.store import Study

LEFT_OUT = ("jobs", "checkpoints", "statistics", "compared", "exports")


def publish(study: Study, out: Path, note: str) -> None:
    """Copy a study to the folder of a sample, in place of what was there."""
    shutil.rmtree(out, ignore_errors=True)
    sample = study.copy_to(out).with_info(name=out.name)
    for name in LEFT_OUT:
        shutil.rmtree(out / name, ignore_errors=True)
    save_note(sample, note)
    sample.mark_as_sample()
