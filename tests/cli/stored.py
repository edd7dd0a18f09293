"""What a command has stored, to be compared byte for byte: all but dates, seconds and latencies."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

#: Keys of what differs from one run to the next: when it was done, how long it took, and what was timed.
TIMES = {"created", "seconds", "latency", "datetime_start", "datetime_complete"}
LEFT_OUT = {"jobs"}  # a job is one attempt, and an interrupted run has two


def stored(folder: Path) -> dict[str, str]:
    """Every file in a folder and a digest of its content without times."""
    files = (path for path in folder.rglob("*") if path.is_file())
    inside = {path.relative_to(folder).as_posix(): path for path in files}
    return {
        name: hashlib.sha256(without_times(path.name, path.read_bytes())).hexdigest()
        for name, path in sorted(inside.items())
        if not LEFT_OUT & {*Path(name).parts} and path.suffix != ".lock"
    }


def without_times(name: str, content: bytes) -> bytes:
    """The content of a file without what differs from one run to the next."""
    suffix = Path(name).suffix
    if suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
        return b"".join(entry.encode() + without_times(entry, data) for entry, data in entries)
    if suffix == ".safetensors":
        start = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:start])
        metadata = {key: _without(_parsed(text)) for key, text in header.pop("__metadata__", {}).items()}
        return json.dumps([metadata, header]).encode() + content[start:]
    if suffix in (".json", ".journal"):
        lines = [content.decode()] if suffix == ".json" else content.decode().splitlines()
        return "\n".join(json.dumps(_without(json.loads(line))) for line in lines).encode()
    return content


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(item) for key, item in value.items() if key not in TIMES}
    return [_without(item) for item in value] if isinstance(value, list) else value
