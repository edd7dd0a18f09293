"""How long a pass of a search took on this machine: notes in its cache, as a study may be moved to another."""

from typing import Any

from filelock import FileLock

from legr.files import read_json, write_json
from legr.paths import cache_folder
from legr.study.store import Study

_ANY = "any"  # of a network that no method has run on yet


def note_pass_time(weights_sha256: str, seconds: float, method: str = _ANY) -> None:
    """Remember the seconds that a pass took."""
    path = cache_folder() / "seconds_per_pass.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(".seconds_per_pass.lock")):
        notes = _notes()
        notes.setdefault(weights_sha256, {})[method] = seconds
        write_json(path, notes)


def seconds_per_pass(study: Study, method: str) -> float | None:
    """Seconds of a pass: as noted here, else as the study's ranking took; None where neither is there."""
    notes = _notes().get(study.info.weights_sha256, {})
    if method in notes:
        return float(notes[method])
    learned = study.learned
    if learned is not None and learned.settings.method == method:
        return learned.seconds / learned.spent[-1]
    seconds = notes.get(_ANY)
    return None if seconds is None else float(seconds)


def _notes() -> dict[str, Any]:
    try:
        return dict(read_json(cache_folder() / "seconds_per_pass.json"))
    except (OSError, ValueError):
        return {}
