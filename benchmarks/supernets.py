"""How good networks of supernets are without further training: `python -m benchmarks.supernets LABEL=STUDY …`.

Every supernet of the studies is a row: top-1 on the test images at some shares of the MACs, batch norms recalibrated.
Rows are kept in a file of results; one of the same label, settings and ranking is measured anew.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from legr.commands.calibration import calibration_of
from legr.commands.images import images_of
from legr.commands.network import load_supernet
from legr.commands.original import original
from legr.commands.supernet_points import Judge
from legr.study.store import Study
from legr.study.supernets import SupernetRun, supernets

RESULTS = Path(__file__).parent / "results" / "supernets.json"
SHARES = (1.0, 0.7, 0.5, 0.47, 0.3, 0.2, 0.16, 0.13, 0.1)
CPU = torch.device("cpu")


def row(label: str, study: Study, run: SupernetRun) -> dict[str, Any]:
    """What one supernet reaches along its ranking."""
    model, dataset, curve = original(study), images_of(study), study.curve(run.ranking)
    judge = Judge(curve, dataset, study.info.normalization, calibration_of(study, dataset, CPU), CPU)
    supernet, top1 = load_supernet(study, model, run), {}
    for share in SHARES:
        if share >= curve.floor:
            keep = curve.at(macs=share)
            network = judge.network(supernet, keep, judge.side)
            top1[str(share)] = judge.point(network, keep, judge.side).top1
    first = next((point.top1 for point in study.points if point.ranking == "original"), None)
    return {
        "label": label,
        "network": study.info.model,
        "ranking": run.ranking,
        "top1": top1,
        "original": first,
        "seconds": run.seconds,
        "made": run.provenance.to_dict(),
    }


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="+", help="LABEL=STUDY")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for text in arguments.studies:
        label, _, path = text.partition("=")
        study = Study.open(path)
        for run in supernets(study):
            found = row(label, study, run)
            same = ("label", "made")
            rows = [*(one for one in rows if any(one[name] != found[name] for name in same)), found]
            arguments.out.write_text(json.dumps(rows, indent=1) + "\n")
            shares = " | ".join(f"{100 * top1:.1f}" for top1 in found["top1"].values())
            print(f"| {label}, {run.ranking} | {shares} | {run.seconds / 60:.0f} min |", flush=True)


if __name__ == "__main__":
    main()
