"""Seconds that a pass of a search has taken on this machine. Imported without torch.

They are stored in this machine's cache, not in the study, which may be moved to another machine.
"""

from contextlib import suppress

from filelock import FileLock

from legr.files import write_json
from legr.paths import cache_folder
from legr.schema import MEGABYTE, Name, SchemaError, parse, read_bytes
from legr.study.records import MAPS, Seconds
from legr.study.store import Study

_FILE, _LARGEST = "seconds_per_pass.json", 16 * MEGABYTE
_ANY = "any"  # method, where none has run on the network yet


def note_pass_time(weights_sha256: str, seconds: float, method: str = _ANY) -> None:
    """Store the seconds that a pass took; where the cache cannot be written, nothing is stored."""
    path = cache_folder() / _FILE
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(".seconds_per_pass.lock")):
            stored = _stored()
            stored.setdefault(weights_sha256, {})[method] = seconds
            write_json(path, stored)


def seconds_per_pass(study: Study, method: str) -> float | None:
    """Seconds a pass takes: as measured here, or where the ranking was learned; None where neither is known."""
    stored = _stored().get(study.info.weights_sha256, {})
    if method in stored:
        return stored[method]
    for learned in filter(None, map(study.map_of, MAPS)):
        if learned.settings.method == method:
            return learned.seconds / learned.passes_spent[-1]
    return stored.get(_ANY)


def _stored() -> dict[str, dict[str, float]]:
    """Seconds by method, by the digest of the weights; {} where the file is missing or damaged."""
    try:
        return parse(read_bytes(cache_folder() / _FILE, _LARGEST), dict[Name, dict[Name, Seconds]])
    except (OSError, SchemaError):
        return {}
