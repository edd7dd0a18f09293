"""How long a curve of latencies takes in ONNX Runtime: `python -m benchmarks.latency_curve [--study DIR] [--json]`.

Each row is a process of its own, from its start to the last latency: first with an empty cache, so that the original is
exported, then with what that left. Budgets are spread evenly over the study's slider, and networks are timed as
`measure` does, on one thread. Processor seconds are of the process and of what it started; the difference to the clock
is what others took of the machine.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from legr.commands.original import original
from legr.commands.timing import in_turns, timer_of
from legr.deploy.latency import conditions_here
from legr.machine import processor_name
from legr.progress import silent
from legr.study.catalog import SAMPLES
from legr.study.store import Study

CPU = torch.device("cpu")


def measure(path: Path, budgets: int) -> dict[str, Any]:
    """One curve, in this process."""
    torch.set_num_threads(1)
    study = Study.open(path)
    model, curve = original(study), study.curve()
    keeps = {float(b): curve.at(macs=float(b)) for b in np.linspace(1.0, curve.floor, budgets)}
    conditions = conditions_here("onnxruntime", CPU)
    began = time.perf_counter()
    timer = timer_of("onnxruntime", study, model, conditions, CPU)
    prepared = time.perf_counter()
    found = in_turns(timer, keeps, conditions, silent)
    latencies = list(found.values())
    return {
        "conditions": str(conditions),
        "networks": len(found),
        "template_s": round(prepared - began, 2),
        "turns_s": round(time.perf_counter() - prepared, 2),
        "whole_ms": latencies[0].milliseconds,
        "smallest_ms": latencies[-1].milliseconds,
        "unsteady": sum(latency.unsteady for latency in latencies),
        "contended": sum(latency.contended for latency in latencies),
    }


def _row(path: Path, budgets: int, cache: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.latency_curve", "--study", str(path), "--budgets", str(budgets)]
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [*command, "--here"], check=True, capture_output=True, text=True, env={**os.environ, "LEGR_CACHE": cache}
    )
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": round(time.perf_counter() - began, 1), "processor_s": round(used, 1), **json.loads(done.stdout)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, default=SAMPLES / "cifar10_resnet56")
    parser.add_argument("--budgets", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps(measure(asked.study, asked.budgets)))
        return
    with tempfile.TemporaryDirectory() as cache:
        rows = {name: _row(asked.study, asked.budgets, cache) for name in ("cold", "warm")}
    if asked.json:
        print(json.dumps({"machine": processor_name(), "cores": os.cpu_count(), **rows}, indent=1))
        return
    for name, row in rows.items():
        print(name, *(f"{key} {value}" for key, value in row.items()), sep="  ")


if __name__ == "__main__":
    main()
