"""Orders of removal at equal milliseconds of a device, as its profile predicts them: top-1 before any training.

    python -m benchmarks.latency_orders --study STUDY --device-profile NAME --out FILE.json
        [--effort PASSES] [--budgets B ...] [--images N]

Learned at equal MACs (the study's own map) and at equal milliseconds (learned here, with the same seed); the cheap
ways, which divide the norms of the identity by the milliseconds or by the activations of a unit; the identity and
uniform. All are rounded to the multiple that the profile proposes; budgets are fractions of the whole milliseconds.
FILE is written after every row, and a row that is there is not computed again.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.studies import CPU, Bench
from legr.commands.learn import pricing_of, search_of
from legr.errors import SettingsError
from legr.files import read_json, write_json
from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import Constraints
from legr.ranking.prices import per_price, unit_activation, unit_latency
from legr.ranking.types import Affine, Ranking
from legr.search.journal import Journal
from legr.search.pricing import Pricing
from legr.search.types import best_of
from legr.structure.cost import cost
from legr.structure.types import Keep
from legr.study.records import SearchSettings


def main() -> None:
    """Compare the orders, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--device-profile", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--effort", type=float, default=60.0)
    parser.add_argument("--budgets", nargs="+", type=float, default=[0.7, 0.5, 0.3])
    parser.add_argument("--images", type=int, default=10_000)
    options = parser.parse_args()
    bench, file = Bench.of(options.study), options.out
    settings = SearchSettings(cost="latency", device_profile=options.device_profile)
    pricing = pricing_of(bench.study, settings)
    for name, ranking_of in orders(bench, pricing, settings, file.with_suffix(".journal"), options.effort).items():
        missing = [b for b in options.budgets if f"{name}|{b:g}" not in _rows(file)]
        if missing:
            curve = BudgetCurve(bench.structure, ranking_of(), pricing.device)
            for budget in missing:
                found = _row(bench, curve, budget, options.images)
                write_json(file, {**_rows(file), f"{name}|{budget:g}": found})
    for row, facts in _rows(file).items():
        name, budget = row.split("|")
        print(
            f"{name:<24}{float(budget):>6.0%} of the ms  {facts['ms']:.3f} ms  {facts['macs']:>6.1%} of the MACs  "
            f"{facts['top1']:.2%}"
        )


def orders(
    bench: Bench, pricing: Pricing, settings: SearchSettings, journal: Path, effort: float
) -> Mapping[str, Callable[[], Ranking]]:
    """The orders by name; each is computed when it is called."""
    ranker, rounded = pricing.ranker, Constraints(pricing.multiple)
    learned, whole = bench.study.learned, Keep(np.ones(bench.structure.n_units, dtype=bool))
    if learned is None or learned.settings.cost != "macs" or pricing.device is None:
        raise SettingsError("the study's ranking must be one that was learned at equal MACs; learn one first")
    prices = unit_latency(ranker.footprints, whole, pricing.device, pricing.multiple)
    return {
        "learned by MACs": lambda: ranker.rank(learned.affine, rounded),
        "learned by latency": lambda: ranker.rank(
            _learn(bench, replace(settings, seed=learned.settings.seed), journal, effort), rounded
        ),
        "norm / latency": lambda: ranker.rank_by(per_price(ranker.scores(), prices), rounded),
        "norm / activations": lambda: ranker.rank_by(
            per_price(ranker.scores(), unit_activation(bench.structure)), rounded
        ),
        "identity": lambda: ranker.rank(constraints=rounded),
        "uniform": lambda: ranker.rank_uniform(rounded),
    }


def _learn(bench: Bench, settings: SearchSettings, path: Path, effort: float) -> Affine:
    """The best map of a search, which goes on where it stopped."""
    journal, start = Journal(path), time.perf_counter()
    passes = sum(candidate.passes for candidate in journal.finished)
    search = search_of(bench.study, settings, CPU) if passes < effort else None
    while search and passes < effort and not (journal.finished and journal.finished[-1].proposal.settled):
        journal.add(search.next(journal.finished))
        passes += journal.finished[-1].passes
        print(f"{passes:.1f} passes, {time.perf_counter() - start:.0f} s", flush=True)
    return journal.finished[best_of(journal.finished)].affine


def _row(bench: Bench, curve: BudgetCurve, budget: float, images: int) -> Mapping[str, float]:
    """What the network of a budget is and is worth."""
    keep = curve.keep(curve.step(latency=max(budget, curve.floor_of("latency"))))
    size = cost(bench.structure, keep, curve.device)
    assert size.latency_ms is not None
    top1 = bench.tested(keep, images).top1
    return {"ms": size.latency_ms, "macs": size.macs / curve.original.macs, "top1": top1}


def _rows(file: Path) -> dict[str, dict[str, float]]:
    return dict(read_json(file)) if file.exists() else {}


if __name__ == "__main__":
    main()
