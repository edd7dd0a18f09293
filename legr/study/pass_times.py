"""Seconds that a pass of a search has taken on this machine. Imported without torch.

They are stored in this machine's cache, not in the study, which may be moved to another machine.
"""

from typing import Any

from filelock import FileLock

from legr.files import read_json, write_json
from legr.paths import cache_folder
from legr.study.store import Study

_ANY = "any"  # method, where none has run on the network yet


def note_pass_time(weights_sha256: str, seconds: float, method: str = _ANY) -> None:
    """Store the seconds that a pass took."""
    path = cache_folder() / "seconds_per_pass.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(".seconds_per_pass.lock")):
        stored = _stored()
        stored.setdefault(weights_sha256, {})[method] = seconds
        write_json(path, stored)


def seconds_per_pass(study: Study, method: str) -> float | None:
    """Seconds a pass takes: as measured here, or where the ranking was learned; None where neither is known."""
    stored = _stored().get(study.info.weights_sha256, {})
    if method in stored:
        return float(stored[method])
    learned = study.learned
    if learned is not None and learned.settings.method == method:
        return learned.seconds / learned.passes_spent[-1]
    seconds = stored.get(_ANY)
    return None if seconds is None else float(seconds)


def _stored() -> dict[str, Any]:
    try:
        return dict(read_json(cache_folder() / "seconds_per_pass.json"))
    except (OSError, ValueError):
        return {}
