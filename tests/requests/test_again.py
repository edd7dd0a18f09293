"""The line that repeats what a study says: only what this program would write itself."""

from pathlib import Path

import pytest

from legr.requests.again import command_again

STUDY = Path("/home/me/my studies/s")
HERE = "--study '/home/me/my studies/s'"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("python -m legr finetune --study s --macs 0.3 --half", f"python -m legr finetune {HERE} --macs 0.3 --half"),
        ("python -m legr learn --study s --seed 3 --model this:x", f"python -m legr learn {HERE} --seed 3"),
        ("python -m legr measure --study s --threads 8", f"python -m legr measure {HERE}"),
        (
            "python -m legr export --study s --macs 0.5 --out /home/me/.ssh",
            f"python -m legr export {HERE} --macs 0.5 --out '/home/me/my studies/s/exports/macs-50'",
        ),
        ("rm -rf /", ""),
        ("python -m legr finetune --study s --macs 0.3; rm -rf /", ""),
        ("python -m legr finetune --study s --macs 0.3\nrm -rf /", ""),
        ("python -m legr inspect --study s --model this:x", ""),
        ("python -m http.server --study s", ""),
        ("python -m legr learn --study", f"python -m legr learn {HERE}"),
        ("python -m legr", ""),
        ("python -m 'legr", ""),
        ("", ""),
    ],
)
def test_a_stored_command_is_written_anew(stored: str, shown: str) -> None:
    assert command_again(stored, STUDY) == shown
