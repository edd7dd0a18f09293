"""How good networks of supernets are, and of separate trainings: `python -m benchmarks.supernets LABEL=STUDY …`.

Every supernet of the studies is a row: top-1 on the test images at some shares of the MACs, batch norms recalibrated,
and how far networks of random budgets lie from the line between the measured ones. With `--separate` the fine-tuned
networks of a study are one row, at the shares that they were trained for. Rows are kept in a file of results; one of
the same label and network is measured anew.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.training_cost import of_finetunings, of_supernet
from legr.commands.calibration import calibration_of
from legr.commands.images import images_of
from legr.commands.network import load_supernet
from legr.commands.original import original
from legr.commands.supernet_points import Judge
from legr.study.store import Study
from legr.study.supernets import SupernetRun, off_the_line, supernets
from legr.training.evaluate import evaluate_split

RESULTS = Path(__file__).parent / "results" / "supernets.json"
SHARES = (1.0, 0.7, 0.5, 0.47, 0.3, 0.2, 0.16, 0.13, 0.1)
CPU = torch.device("cpu")


def row(label: str, study: Study, run: SupernetRun) -> dict[str, Any]:
    """What one supernet reaches along its ranking."""
    model, dataset, curve = original(study), images_of(study), study.curve(run.ranking)
    judge = Judge(curve, dataset, study.info.normalization, calibration_of(study, dataset, CPU), CPU)
    supernet, top1 = load_supernet(study, model, run), {}
    off = off_the_line((point for point in run.points if point.side == judge.side), run.between)
    for share in SHARES:
        if share >= curve.floor:
            keep = curve.at(macs=share)
            top1[str(share)] = judge.point(judge.network(supernet, keep), keep).top1
    return {
        "label": label,
        "network": study.info.model,
        "ranking": run.ranking,
        "top1": top1,
        "original": original_top1(study),
        "off_the_line": asdict(off) if off else None,
        "seconds": run.seconds,
        "cost": of_supernet(run),
        "made": run.provenance.to_dict(),
    }


def original_top1(study: Study) -> float:
    """Top-1 of a study's original on the test images."""
    return evaluate_split(original(study), images_of(study).test, study.info.normalization, device=CPU).top1


def separate_row(label: str, study: Study) -> dict[str, Any]:
    """What the fine-tuned networks of a study reach, each trained by itself; the command is that of the largest.

    Top-1 and cost are those of the networks nearest below the shares.
    """
    runs = sorted(study.finetuned, key=lambda run: -run.macs_fraction)
    top1, used = {}, []
    for share in SHARES[1:]:
        run = next((one for one in runs if share - 0.01 < one.macs_fraction <= share), None)
        if run is not None:
            top1[str(share)] = run.top1
            used.append(run)
    return {
        "label": label,
        "network": study.info.model,
        "ranking": used[0].ranking,
        "top1": top1,
        "original": original_top1(study),
        "off_the_line": None,
        "seconds": sum(run.seconds for run in used),
        "cost": of_finetunings(used),
        "made": used[0].provenance.to_dict(),
    }


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="+", help="LABEL=STUDY")
    parser.add_argument("--separate", action="store_true", help="rows of fine-tuned networks, not of supernets")
    parser.add_argument("--untimed", action="store_true", help="the machine was not quiet: leave out how long it took")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for text in arguments.studies:
        label, _, path = text.partition("=")
        study = Study.open(path)
        if arguments.separate:
            found_rows = [separate_row(label, study)]
        else:
            found_rows = [row(label, study, run) for run in supernets(study)]
        for found in found_rows:
            if arguments.untimed:
                found |= {"seconds": None, "made": {**found["made"], "seconds": None}}
            same = ("label", "network")
            rows = [*(one for one in rows if any(one[name] != found[name] for name in same)), found]
            arguments.out.write_text(json.dumps(rows, indent=1) + "\n")
            shares = " | ".join(f"{100 * top1:.1f}" for top1 in found["top1"].values())
            print(f"| {label}, {found['ranking']} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
