"""A study as somebody with bad intentions would hand it on: every text of it is an attack."""

import json
import time
from pathlib import Path

PAYLOAD = (
    "![p](//e.example/p) [l](//e.example) <img src=x> $x^2$ :material/home: :red[r] :smile: www.e.example `c`\x1b\u202e"
)
RUNTIME = "PyTorch 2.14.1"  # what the study's latencies were measured with
NAME = "evil_[l](e) $x^2$ :red[r] :smile:"


def make_hostile(study: Path) -> Path:
    """Put the payload into every text of a study, and rename it to what a folder's name may hold; its new path."""
    path = study.rename(study.parent / NAME)
    info = json.loads((path / "study.json").read_text())
    info |= {"model": PAYLOAD, "data": {**info["data"], "name": PAYLOAD}} if isinstance(info.get("data"), dict) else {}
    info |= {key: PAYLOAD for key in ("model", "data_name") if key in info}
    info["classes"] = [f"{n} {PAYLOAD}" for n in range(10)]
    (path / "study.json").write_text(json.dumps(info))
    (path / "note.txt").write_text(PAYLOAD, encoding="utf-8")
    layer = json.dumps(PAYLOAD)[1:-1].replace(".", "_")
    for name in ("structure.json", "ranking.json"):
        (path / name).write_text((path / name).read_text().replace('"conv1', f'"{layer} conv1'))
    for file in [path / "points.json", *(path / "finetuned").glob("*.json")]:
        text = file.read_text()
        assert RUNTIME in text or file.name != "points.json"  # else its device is no attack
        text = text.replace(RUNTIME, json.dumps(PAYLOAD)[1:-1])
        if file.name != "points.json":
            text = json.dumps({**json.loads(text), "name": f"mine\n{PAYLOAD}"})
        file.write_text(text)
    (path / "jobs").mkdir(exist_ok=True)
    for kind, state in (("learn", "failed"), ("measure", "interrupted"), ("finetune", "failed"), ("export", "failed")):
        job = {"id": f"{kind}-20261129-000000-aaaa", "kind": kind, "arguments": [], "device": "cpu", "state": state,
               "created": time.time() - 9, "stage": PAYLOAD, "done": 1, "total": 2, "error": PAYLOAD}  # fmt: skip
        (path / "jobs" / f"{job['id']}.json").write_text(json.dumps(job))
    return path
