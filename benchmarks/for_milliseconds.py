"""What training makes of networks for a share of the milliseconds: `python -m benchmarks.for_milliseconds STUDY …`.

The studies are of one network. Rows are the runs that they have finished by `legr finetune --latency SHARE`; the
original and all their networks are timed here, in turns, in ONNX Runtime on one thread.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.device_tables import conditions
from benchmarks.latency import time_all
from legr.commands.evaluate import evaluate
from legr.commands.original import original
from legr.commands.profile import Subject
from legr.progress import silent
from legr.ranking.limits import Budget
from legr.structure.branches import emptied_branches
from legr.study.kept_sets import unpacked
from legr.study.records import FineTuned
from legr.study.store import Study

RESULTS = Path(__file__).parent / "results" / "for-milliseconds.json"
WHOLE = "original"


def row(study: Study, run: FineTuned, times: dict[str, float]) -> dict[str, Any]:
    """A run, and how fast its network is."""
    assert run.budget is not None
    constraints = study.constraints
    keep = unpacked(run.kept, study.structure.n_units)
    gone = emptied_branches(study.structure, keep)
    return {
        "ranking": run.ranking,
        "share": run.budget.latency,
        "multiple": constraints.multiple,
        "blocks": constraints.blocks,
        "macs_fraction": round(run.macs_fraction, 4),
        "blocks_left": len(study.structure.branches) - len(gone),
        "milliseconds": round(times[run.keep_id], 4),
        "speed_up": round(times[WHOLE] / times[run.keep_id], 3),
        "top1_before": run.top1_before,
        "top1": run.top1,
        "made": run.provenance.to_dict(),
    }


def measure(studies: Sequence[Study]) -> dict[str, Any]:
    """All rows, and the original."""
    runs = [(study, run) for study in studies for run in study.finetuned if run.budget and run.budget.latency]
    first = studies[0]
    subject = Subject(original(first), first.ranker, first.info.input_shape)
    keeps = {run.keep_id: unpacked(run.kept, study.structure.n_units) for study, run in runs}
    whole = first.curve("identity").keep(0)
    times = time_all(subject, {WHOLE: whole, **keeps})
    return {
        "conditions": str(conditions("onnxruntime")),
        "original_ms": round(times[WHOLE], 4),
        "original_blocks": len(first.structure.branches),
        "original_top1": evaluate(first, Budget(macs=1.0), "identity", False, torch.device("cpu"), silent).top1,
        "rows": [row(study, run, times) for study, run in runs],
    }


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = measure([Study.open(path) for path in arguments.studies])
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
