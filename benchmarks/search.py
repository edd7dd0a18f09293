"""How fast the search is: seconds to a quality, seconds a candidate, and memory, beside the released code's way.

    python -m benchmarks.search race --study STUDY --out FOLDER [--learners NAME ...] [--seconds N] [--budget 0.47]
    python -m benchmarks.search candidate --study STUDY --out FOLDER [--images 5000] [--tau 20] [--tau200 5]
    python -m benchmarks.search memory --study STUDY --out FOLDER

`race` gives every learner the same seconds at one budget, then tests each ranking that was the best for a while on
all test images, recalibrated and without training. `candidate` scores the same maps in both ways, in turns.
`memory` runs `learn` in a process of its own and tells its peak. Leave the machine alone meanwhile.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.other_learners import search_by
from benchmarks.released_way import ReleasedWay
from benchmarks.studies import CPU, Bench
from legr.files import read_json, write_json
from legr.ranking.types import Affine
from legr.search.fitness import Fitness
from legr.search.journal import Journal
from legr.search.learn import has_settled
from legr.search.methods import METHODS
from legr.search.types import final_values
from legr.study.records import SearchSettings

LEARNERS = "gradient", "climb", "evolution", "cma-es", "tpe"
QUALITIES = 0.81, 0.845


def main() -> None:
    """Do one of the steps, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("race", "candidate", "memory"))
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--learners", nargs="+", default=LEARNERS)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--budget", type=float, default=0.47)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--tau", type=int, default=20, help="candidates without training")
    parser.add_argument("--tau200", type=int, default=5, help="candidates with 200 steps each")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.step == "memory":
        memory(options.study, options.out)
        return
    bench = Bench.of(options.study)
    if options.step == "race":
        for name in options.learners:
            race(bench, name, options.budget, options.seconds, options.out)
        print("the races are over", flush=True)
        for name in options.learners:
            reached(bench, name, options.budget, options.out)
        return
    for steps, candidates in ((0, options.tau), (200, options.tau200)):
        if candidates:
            side_by_side(bench, options.budget, options.images, steps, candidates, options.out)


def note(out: Path, row: str, facts: Mapping[str, Any]) -> None:
    """Keep and print a row."""
    file = out / "speed.json"
    write_json(file, {**(read_json(file) if file.exists() else {}), row: dict(facts)})
    print(row, dict(facts), flush=True)


def race(bench: Bench, name: str, budget: float, seconds: float, out: Path) -> None:
    """Search for so many seconds, or until the search has settled."""
    journal = Journal(out / f"race-{name}.journal")
    settings = SearchSettings(method=name if name in METHODS else "gradient", budgets=(budget,))
    if not journal.finished:
        work = search_by(name, bench.study, settings)
        start = time.perf_counter()
        journal.add(work.next(journal.finished))
        while time.perf_counter() - start < seconds and not has_settled(journal):
            journal.add(work.next(journal.finished))


def reached(bench: Bench, name: str, budget: float, out: Path) -> None:
    """Test whatever was the best for a while."""
    journal = Journal(out / f"race-{name}.journal")
    values = final_values(journal.finished)
    before = np.concatenate(([np.inf], np.minimum.accumulate(values)[:-1]))
    ends = np.cumsum([candidate.seconds for candidate in journal.finished])
    rows = []
    for number in np.flatnonzero(values < before):
        keep = bench.keep(journal.finished[number].affine, budget)
        rows.append({"seconds": float(ends[number]), "value": values[number], "top1": bench.tested(keep).top1})
        print(name, rows[-1], flush=True)
    first = {f"{q:g}": next((row["seconds"] for row in rows if row["top1"] >= q), None) for q in QUALITIES}
    note(out, f"race|{name}", {"candidates": len(values), "seconds": float(ends[-1]), "reached": first, "rows": rows})


def side_by_side(bench: Bench, budget: float, images: int, steps: int, candidates: int, out: Path) -> None:
    """Score the same maps in the released way and in ours, in turns."""
    ranker, rng = bench.study.ranker, np.random.default_rng(0)
    n_layers, deviations = len(bench.structure.layers), ranker.norms.deviations
    released = ReleasedWay(bench, budget, images, out)
    settings = SearchSettings(budgets=(budget,), images=images, sgd_steps=steps)
    ours = Fitness(bench.model, bench.structure, bench.dataset, bench.normalization, settings, CPU)
    took: dict[str, list[float]] = {"released": [], "ours": []}
    for _ in range(candidates):
        affine = Affine(np.exp(rng.normal(size=n_layers) / 2), rng.normal(size=n_layers) * deviations / 2)
        start = time.perf_counter()
        released(affine, steps)
        middle = time.perf_counter()
        ours([bench.keep(affine, budget)])
        took["released"].append(middle - start)
        took["ours"].append(time.perf_counter() - middle)
    facts: dict[str, Any] = {way: float(np.median(times)) for way, times in took.items()}
    ratios = np.array(took["released"]) / np.array(took["ours"])
    facts |= {"ratio": float(np.median(ratios)), "candidates": candidates, "images": images, "all": took}
    note(out, f"candidate|{steps} steps", facts | {"threads": torch.get_num_threads()})


def memory(study: Path, out: Path) -> None:
    """Peak memory of a short search in a process of its own."""
    command = [sys.executable, "-m", "legr", "learn", "--study", str(study), "--seed", str(time.time_ns() % 2**31)]
    subprocess.run([*command, "--candidates", "12"], check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    note(out, "memory", {"peak_mb": peak / 1024})


if __name__ == "__main__":
    main()
