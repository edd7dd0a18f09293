"""What batch norms should be recalibrated on: accuracy by images, border, number of images and budget.

    python -m benchmarks.calibration --study STUDY --out FILE [--ranking identity] [--budgets 1 0.7 0.5 0.3]
        [--images plain augmented-mean augmented-black both-black given] [--numbers 512 2048 8192] [--judges 2000]

Every row is one network with one kind of statistics, on the first test images and the first held-out images, in the
fast type. Differences are to plain images of the same number, on the same images; noise is the standard error if both
were equally good (McNemar). FILE is written after each row, and a second call goes on where the first stopped.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.studies import CPU, Bench
from legr.data.images import Split
from legr.files import read_json, write_json
from legr.ranking.budget import BudgetCurve
from legr.structure.surgery import prune
from legr.training.batch_norm import CALIBRATION_IMAGES, recalibrated
from legr.training.calibration import CALIBRATIONS, PLAIN, Calibration
from legr.training.choose_calibration import BUDGETS, difference
from legr.training.device import fast_dtype
from legr.training.evaluate import correct


def main() -> None:
    """Measure what is missing, then print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ranking", choices=("identity", "learned", "uniform"), default="identity")
    parser.add_argument("--budgets", type=float, nargs="+", default=BUDGETS)
    parser.add_argument("--images", nargs="+", default=[calibration.key for calibration in CALIBRATIONS])
    parser.add_argument("--numbers", type=int, nargs="+", default=[CALIBRATION_IMAGES])
    parser.add_argument("--judges", type=int, default=2000, help="test images, and as many held-out ones")
    options = parser.parse_args()
    bench, rows = Bench.of(options.study), read_json(options.out) if options.out.exists() else {}
    for budget in options.budgets:
        keep = BudgetCurve(bench.structure, bench.study.ranking(options.ranking)).at(macs=budget)
        network = prune(bench.model, bench.structure, keep).eval()
        for number in options.numbers:
            plain: Mapping[str, Tensor] | None = None
            for key in options.images:
                row = f"{options.ranking}|{budget:g}|{number}|{key}"
                if row not in rows:
                    plain = plain or right(bench, network, PLAIN, number, options.judges)
                    rows[row] = facts(bench, network, Calibration.of(key), number, plain)
                    write_json(options.out, rows)
                print(row, rows[row], flush=True)


def facts(
    bench: Bench, network: nn.Module, calibration: Calibration, number: int, plain: Mapping[str, Tensor]
) -> dict[str, float]:
    """Top-1 on both splits in per cent, and what it differs from plain images by."""
    found, judges = {}, len(plain["test"])
    answers = plain if calibration == PLAIN else right(bench, network, calibration, number, judges)
    for split, rows in answers.items():
        compared = difference(rows.double(), plain[split].double())
        found[split] = 100 * float(rows.double().mean())
        found[f"{split}_difference"], found[f"{split}_noise"] = 100 * compared.mean, 100 * compared.noise
    return {name: round(value, 2) for name, value in found.items()}


def right(bench: Bench, network: nn.Module, calibration: Calibration, number: int, judges: int) -> dict[str, Tensor]:
    """Which of the first images of two splits a recalibrated network is right on, bool[N] each."""
    candidate = recalibrated(
        network, bench.dataset, bench.normalization, device=CPU, calibration=calibration, n_images=number
    )
    splits: dict[str, Split] = {"test": bench.dataset.test, "heldout": bench.dataset.heldout}
    order = torch.arange(judges)
    return {
        name: correct(candidate, split, bench.normalization, device=CPU, dtype=fast_dtype(CPU), order=order)
        for name, split in splits.items()
    }


if __name__ == "__main__":
    main()
