"""Which learner finds the best ranking: several learners, several seeds, the same effort, one table.

    python -m benchmarks.learners search|test|slider|tune --study STUDY --out FOLDER
        [--learners NAME ...] [--seeds N ...] [--effort PASSES] [--budgets B ...]
    python -m benchmarks.learners table|plot --out FOLDER

`search` lets every learner spend the same passes over held-out images (journals in FOLDER). `test` gives the top-1
on test images of the best ranking after an eighth, a quarter, a half and all of them, without training; `slider` that
of the last ranking at twelve budgets; `tune` that of the last ranking after a fixed fine-tuning. Each writes
`FOLDER/found.json` after every row and goes on where it stopped; the rows of several processes are put together.
`table` prints them, `plot` draws `FOLDER/learners.svg`.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from benchmarks.base_scores import BASES
from benchmarks.other_learners import LEARNERS, search_by
from benchmarks.studies import Bench
from legr.files import read_json, write_json
from legr.ranking.budget import BudgetCurve
from legr.ranking.order import Ranker
from legr.ranking.types import Affine
from legr.search.journal import Journal
from legr.search.learn import Search, passes_spent
from legr.search.types import Candidate, Learner, Proposal, best_of, final_values
from legr.structure.types import Keep
from legr.study.records import SearchSettings

SHARES = 0.125, 0.25, 0.5, 1.0  # of the effort, after which a ranking is tested
TESTED = 2000  # test images for these
SLIDER = 12  # budgets from the floor to the whole


@dataclass(frozen=True)
class Entry:
    """A learner that takes part."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    base: str = "L2"  # score that the maps are applied to
    finish: bool = False  # the second half is a climb from the best so far


ENTRIES: dict[str, Entry] = {
    "gradient": Entry(),
    "gradient at 47 %": Entry({"budgets": (0.47,)}),
    "gradient, then climb": Entry(finish=True),
    "evolution": Entry({"method": "evolution"}),
    **{name: Entry() for name in LEARNERS},
    **{f"gradient, {base}": Entry(base=base) for base in ("L1", "norm scale", "Taylor", "median", "layer's mean")},
    **{f"identity, {base}": Entry(base=base) for base in ("L1", "norm scale", "Taylor", "median", "layer's mean")},
    "identity": Entry(),
    "uniform": Entry(),
}


def main() -> None:
    """Do one of the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=(*STEPS, "table", "plot"))
    parser.add_argument("--study", type=Path)
    parser.add_argument("--learners", nargs="+", default=["gradient", "evolution", "climb", "cma-es", "tpe"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--effort", type=float, default=60.0)
    parser.add_argument("--budgets", nargs="+", type=float, default=[0.2, 0.47])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.step == "table":
        print("\n".join(table(read_json(options.out / "found.json"))))
        return
    if options.step == "plot":
        plot(read_json(options.out / "found.json"), options.learners, options.out / "learners.svg")
        return
    options.out.mkdir(parents=True, exist_ok=True)
    runs = Runs(Bench.of(options.study), options.out, options.effort, tuple(options.budgets))
    for seed in options.seeds:
        for name in options.learners:
            STEPS[options.step](runs, name, seed)


@dataclass
class Runs:
    """The searches of one folder."""

    bench: Bench
    out: Path
    effort: float
    budgets: tuple[float, ...]
    rankers: dict[str, Ranker] = field(default_factory=dict)

    def ranker(self, name: str) -> Ranker:
        """Ranks by the base score of a learner."""
        base = ENTRIES[name].base
        if base not in self.rankers:
            self.rankers[base] = BASES[base](self.bench)
        return self.rankers[base]

    def journal(self, name: str, seed: int) -> Journal:
        """Of one search; of rankings that are not learned, without candidates."""
        return Journal(self.out / f"{name}-{seed}.journal")

    def map_after(self, name: str, seed: int, share: float) -> tuple[Affine | None, dict[str, float]]:
        """The best map after a share of the effort, and what it took."""
        if name.startswith(("identity", "uniform")):
            return None if name == "uniform" else Affine.identity(len(self.bench.structure.layers)), {}
        journal = self.journal(name, seed)
        finished = journal.finished
        passes = np.array(passes_spent(journal))
        seen = finished[: max(1, int((passes <= share * self.effort + 1e-9).sum()))]
        best = seen[best_of(seen)]
        seconds = sum(candidate.seconds for candidate in seen)
        return best.affine, {"value": best.value, "seconds": seconds, "candidates": len(seen)}

    def note(self, row: str, work: Callable[[], Mapping[str, Any]]) -> None:
        """Add a row to the results, unless it is there."""
        file = self.out / "found.json"
        if file.exists() and row in read_json(file):
            return
        facts = work()
        with FileLock(self.out / ".found.lock"):
            write_json(file, {**(read_json(file) if file.exists() else {}), row: dict(facts)})
        print(row, dict(facts), flush=True)


# -- the steps -------------------------------------------------------------------------------------------------


def search(runs: Runs, name: str, seed: int) -> None:
    """Spend the effort."""
    journal = runs.journal(name, seed)
    settings = SearchSettings(seed=seed, **ENTRIES[name].settings)
    passes = sum(candidate.passes for candidate in journal.finished)
    work = _search_in(runs, name, settings) if passes < runs.effort else None
    while work and passes < runs.effort:
        candidate = work.next(journal.finished)
        journal.add(candidate)
        passes += candidate.passes
    finished = journal.finished
    trace = {
        "passes": np.round(passes_spent(journal), 2).tolist(),
        "seconds": np.cumsum([candidate.seconds for candidate in finished]).round(1).tolist(),
        "best": np.minimum.accumulate(final_values(finished)).round(5).tolist(),
    }
    runs.note(f"search|{name}|{seed}", lambda: trace)


def test(runs: Runs, name: str, seed: int) -> None:
    """Top-1 after shares of the effort."""
    for share in SHARES:
        affine, facts = runs.map_after(name, seed, share)
        for budget in runs.budgets:
            keep = runs.bench.keep(affine, budget, runs.ranker(name))
            runs.note(f"test|{name}|{seed}|{share:g}|{budget:g}", partial(_tested, runs, keep, facts, TESTED))


def slider(runs: Runs, name: str, seed: int) -> None:
    """Top-1 along the budgets."""
    affine, _ = runs.map_after(name, seed, 1.0)
    floor = BudgetCurve(runs.bench.structure, runs.bench.study.ranker.rank()).floor
    for number, budget in enumerate(np.linspace(floor, 1, SLIDER)):
        keep = runs.bench.keep(affine, float(budget), runs.ranker(name))
        facts = {"budget": float(budget)}
        runs.note(f"slider|{name}|{seed}|{number}", partial(_tested, runs, keep, facts))


def tune(runs: Runs, name: str, seed: int) -> None:
    """Top-1 after the fixed fine-tuning."""
    affine, _ = runs.map_after(name, seed, 1.0)
    for budget in runs.budgets:
        keep = runs.bench.keep(affine, budget, runs.ranker(name))
        row = f"tune|{name}|{seed}|{budget:g}"
        runs.note(row, partial(_tuned, runs, keep, row))


def _tested(runs: Runs, keep: Keep, facts: Mapping[str, Any], n_images: int | None = None) -> Mapping[str, Any]:
    """Facts of a map, and top-1 of a network of it."""
    return {**facts, "top1": runs.bench.tested(keep, n_images).top1}


def _tuned(runs: Runs, keep: Keep, row: str) -> Mapping[str, float]:
    start = time.perf_counter()
    evaluation = runs.bench.fine_tuned(keep, runs.out / "logits", runs.out / f"{row.replace('|', '_')}.safetensors")
    return {"top1": evaluation.top1, "seconds": time.perf_counter() - start}


STEPS: dict[str, Callable[[Runs, str, int], None]] = {"search": search, "test": test, "slider": slider, "tune": tune}


# -- searches --------------------------------------------------------------------------------------------------


@dataclass
class _InTurn:
    """A gradient first, then a climb from the best so far."""

    first: Learner
    then: Learner
    effort: float

    def propose(self, finished: Sequence[Candidate]) -> Proposal:
        early = sum(candidate.passes for candidate in finished) < self.effort
        return (self.first if early else self.then).propose(finished)


def _search_in(runs: Runs, name: str, settings: SearchSettings) -> Search:
    """The search of a learner."""
    ranker = runs.ranker(name)
    search = search_by(name, runs.bench.study, settings, ranker)
    if not ENTRIES[name].finish:
        return search
    climb = LEARNERS["climb"](ranker.norms.deviations, settings.seed)
    return replace(search, learner=_InTurn(search.learner, climb, runs.effort / 2))


# -- what it says ----------------------------------------------------------------------------------------------


def table(results: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Mean and spread over seeds of every row."""
    rows: dict[tuple[str, ...], list[Mapping[str, float]]] = {}
    for row, facts in results.items():
        step, name, _, *rest = row.split("|")
        if step == "search":
            continue
        rows.setdefault((step, *rest, name), []).append(facts)
    lines = [
        f"{'step':<8}{'where':<16}{'learner':<26}{'seeds':>6}{'top-1, %':>10}{'spread':>8}{'seconds':>9}{'loss':>8}"
    ]
    for (step, *rest, name), runs in sorted(rows.items()):
        top1 = np.array([100 * facts["top1"] for facts in runs])
        seconds, value = (np.median([facts.get(key, np.nan) for facts in runs]) for key in ("seconds", "value"))
        spread = top1.std(ddof=1) if len(top1) > 1 else np.nan
        where = " ".join(rest)
        lines.append(
            f"{step:<8}{where:<16}{name:<26}{len(top1):>6}{top1.mean():>10.2f}{spread:>8.2f}{seconds:>9.1f}{value:>8.4f}"
        )
    return lines


def plot(results: Mapping[str, Mapping[str, Any]], learners: Sequence[str], file: Path) -> None:
    """Loss, and top-1 at every budget tested, against time: the mean over seeds of each learner."""
    import matplotlib.pyplot as plt

    budgets = sorted({row.split("|")[4] for row in results if row.startswith("test|")})
    figure, axes = plt.subplots(1, 1 + len(budgets), figsize=(4.2 * (1 + len(budgets)), 3.6), layout="constrained")
    for number, name in enumerate(learners):
        style = {"label": name, "color": f"C{number}"}
        runs = [facts for row, facts in results.items() if row.startswith(f"search|{name}|")]
        ends = np.linspace(0, np.median([run["seconds"][-1] for run in runs]), 60)[1:]
        steps = [np.searchsorted(run["seconds"], ends, side="right").clip(1) - 1 for run in runs]
        best = [np.array(run["best"])[step] for run, step in zip(runs, steps, strict=True)]
        axes[0].plot(ends, np.mean(best, axis=0), **style)
        for axis, budget in zip(axes[1:], budgets, strict=True):
            seeds = {row.split("|")[2] for row in results if row.startswith(f"test|{name}|")}
            rows = [[results[f"test|{name}|{seed}|{share:g}|{budget}"] for share in SHARES] for seed in seeds]
            seconds, top1 = (np.array([[row[key] for row in run] for run in rows]) for key in ("seconds", "top1"))
            axis.plot(np.median(seconds, axis=0), 100 * top1.mean(axis=0), marker="o", **style)
            axis.set_title(f"top-1 at {float(budget):.0%} of the MACs, %", fontsize=10)
    axes[0].set_title("best loss, identity 1", fontsize=10)
    axes[0].legend(fontsize=8)
    for axis in axes:
        axis.set_xlabel("seconds")
        axis.grid(alpha=0.3)
    figure.savefig(file)


if __name__ == "__main__":
    main()
