"""What training makes of networks for a share of the milliseconds: `python -m benchmarks.for_milliseconds STUDY …`.

The studies are of one network. Rows are the runs that they have finished by `legr finetune --latency SHARE`, beside
those that the file of results has of other studies. The original and all their networks are timed here, in turns, in
ONNX Runtime on one thread.
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


def row(study: Study, run: FineTuned) -> dict[str, Any]:
    """A run, as the results keep it."""
    assert run.budget is not None
    constraints = study.constraints
    learned = study.map_of(run.ranking)
    gone = emptied_branches(study.structure, unpacked(run.kept, study.structure.n_units))
    return {
        "ranking": run.ranking,
        "budgets": list(learned.settings.budgets) if learned else [],  # that it was learned for; []: the whole slider
        "share": run.budget.latency,
        "multiple": constraints.multiple,
        "blocks": constraints.blocks,
        "macs_fraction": round(run.macs_fraction, 4),
        "blocks_left": len(study.structure.branches) - len(gone),
        "top1_before": run.top1_before,
        "top1": run.top1,
        "made": run.provenance.to_dict(),
        "kept": run.kept,
    }


def what(row: dict[str, Any]) -> tuple[Any, ...]:
    """The network and the training that a row is about; a later run takes its place."""
    return tuple(str(row[name]) for name in ("ranking", "budgets", "share", "multiple", "blocks"))


def measure(studies: Sequence[Study], before: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All rows, and the original.

    Args:
        before: rows of other studies of the same network.
    """
    runs = [(study, run) for study in studies for run in study.finetuned if run.budget and run.budget.latency]
    rows = {what(found): found for found in (*before, *(row(study, run) for study, run in runs))}
    first = studies[0]
    subject = Subject(original(first), first.ranker, first.info.input_shape)
    keeps = {found["kept"]: unpacked(found["kept"], first.structure.n_units) for found in rows.values()}
    times = time_all(subject, {WHOLE: first.curve("identity").keep(0), **keeps})
    for found in rows.values():
        milliseconds = times[found["kept"]]
        found |= {"milliseconds": round(milliseconds, 4), "speed_up": round(times[WHOLE] / milliseconds, 3)}
    return {
        "conditions": str(conditions("onnxruntime")),
        "original_ms": round(times[WHOLE], 4),
        "original_blocks": len(first.structure.branches),
        "original_top1": evaluate(first, Budget(macs=1.0), "identity", False, torch.device("cpu"), silent).top1,
        "rows": list(rows.values()),
    }


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    before = json.loads(arguments.out.read_text())["rows"] if arguments.out.exists() else []
    found = measure([Study.open(path) for path in arguments.studies], before)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
