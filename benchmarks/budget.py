"""How long tracing, the curve, a budget and building take, beside recounting the network and torch-pruning.

    python -m benchmarks.budget [--json] [MODEL ...]

Accuracy plays no part: weights are random, and filters rank by their norms. Every model has a process of its
own, in which all of its figures are taken, so that ratios hold on a noisy machine. Times are medians.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
import torch

import legr
from benchmarks import torch_pruning_way as tp_way
from legr.models.zoo import build_model, find_spec

MODELS = ("cifar_resnet56", "resnet50", "mobilenet_v2")
BUDGET = 0.5  # of the MACs
REPEATS = 5
QUERIES = 1000  # budgets a repeat
RECOUNTS = 1000  # removals that are recounted at most; of more, evenly spaced ones, and the time is scaled up


@dataclass(frozen=True)
class Figures:
    """What was measured of one model; None where it could not be."""

    model: str
    input: str
    million_params: float
    steps: int  # of the curve
    removed: int  # units removed for the budget
    trace_first_s: float  # the first in its process
    trace_s: float
    trace_mb: float | None  # peak of resident memory during the first, beyond what was resident before
    rank_ms: float
    curve_ms: float
    query_us: float
    pin_ms: float  # ranking, curve and query with a layer pinned
    build_ms: float
    recount_ms: float
    recounted: int  # removals that the time of the recount was taken from
    recount_ratio: float  # queries in the time of one recount; both timed in turns
    peer: tp_way.Outcome | None  # None: torch-pruning is not installed

    @property
    def peer_ratio(self) -> float | None:
        """Networks of a budget built in the time of one bisection by torch-pruning; None where none was built."""
        ours_s = 1e-6 * self.query_us + 1e-3 * self.build_ms
        return self.peer.seconds / ours_s if self.peer and self.peer.reached else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS, metavar="MODEL")
    parser.add_argument("--json", action="store_true", help="print one object")
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
        results = list(pool.map(measure, arguments.models))
    if arguments.json:
        rows = [{**asdict(f), "peer_ratio": f.peer_ratio} for f in results]
        print(json.dumps({"budget": BUDGET, "threads": torch.get_num_threads(), "models": rows}, indent=1))
    else:
        print("\n".join(table(results)))


def measure(name: str) -> Figures:
    """Take all figures of a model; in a process that has traced nothing yet."""
    spec = find_spec(name)
    torch.manual_seed(0)
    model = build_model(spec, spec.num_classes).eval()
    example = torch.zeros(1, *spec.input_shape)
    resident = reset_peak()
    trace_first_s, structure = timed(lambda: legr.trace(model, example))
    trace_mb = None if resident is None else (read_memory("VmHWM") - resident) / 1e6
    norms = legr.filter_norms(model, structure)
    ranking = legr.rank(structure, norms)
    curve = compute_curve(structure, ranking)
    step = curve.step(macs=BUDGET)
    pinned = structure.layers[len(structure.layers) // 2]
    shape = legr.Constraints(pins={pinned.name: pinned.total // 2})
    budgets = np.linspace(max(curve.floor, 0.1), 1.0, QUERIES).tolist()
    rounds = [(recount(curve, step), query(curve, budgets)) for _ in range(REPEATS)]
    reached = (
        tp_way.reach(tp_way.with_pads(model), torch.randn_like(example), BUDGET) if tp_way.is_installed() else None
    )
    return Figures(
        model=name,
        input="x".join(map(str, spec.input_shape)),
        million_params=curve.original.params / 1e6,
        steps=len(curve.macs) - 1,
        removed=int(ranking.ends[step]),
        trace_first_s=trace_first_s,
        trace_s=typical(lambda: legr.trace(model, example)),
        trace_mb=trace_mb,
        rank_ms=1e3 * typical(lambda: legr.rank(structure, norms)),
        curve_ms=1e3 * typical(lambda: compute_curve(structure, ranking)),
        query_us=1e6 * median(query_s for _, query_s in rounds),
        pin_ms=1e3
        * typical(lambda: compute_curve(structure, legr.rank(structure, norms, constraints=shape)).at(macs=BUDGET)),
        build_ms=1e3 * typical(lambda: legr.prune(model, structure, curve.keep(step))),
        recount_ms=1e3 * median(recount_s for recount_s, _ in rounds),
        recounted=min(RECOUNTS, int(ranking.ends[step])),
        recount_ratio=median(recount_s / query_s for recount_s, query_s in rounds),
        peer=reached,
    )


def compute_curve(structure: legr.Structure, ranking: legr.Ranking) -> legr.BudgetCurve:
    """A curve with all three costs after every step."""
    curve = legr.BudgetCurve(structure, ranking)
    _ = curve.macs, curve.params, curve.activation
    return curve


def query(curve: legr.BudgetCurve, budgets: Sequence[float]) -> float:
    """Seconds that one budget takes; the median of many."""
    return median(timed(partial(curve.at, macs=budget))[0] for budget in budgets)


# -- the reference's way -----------------------------------------------------------------------------------


def recount(curve: legr.BudgetCurve, step: int) -> float:
    """Seconds to reach a step by counting the whole network afresh for every filter removed.

    Of more than `RECOUNTS` removals as many are timed, evenly spaced, and scaled up: a count takes longer in
    proportion to what is removed already.
    """
    macs, channels, taken = channel_table(curve.structure)
    order = curve.ranking.order[: curve.ranking.ends[step]].tolist()
    rounds = np.linspace(1, len(order), min(len(order), RECOUNTS)).round().astype(int).tolist()
    total = 0
    start = time.perf_counter()
    for n_removed in rounds:
        total = count_macs(macs, channels, taken, order[:n_removed])
    seconds = time.perf_counter() - start
    assert total == curve.macs[step], "the recount and the curve count differently"
    return seconds * len(order) / len(rounds)


Taken = list[list[tuple[int, int]]]


def count_macs(macs: list[int], channels: list[int], taken: Taken, removed: list[int]) -> int:
    """Take every removed unit off the original's channels, then add up all layers."""
    left = channels.copy()
    for unit in removed:
        for slot, n_channels in taken[unit]:
            left[slot] -= n_channels
    return sum(each * left[2 * layer] * left[2 * layer + 1] for layer, each in enumerate(macs))


def channel_table(structure: legr.Structure) -> tuple[list[int], list[int], Taken]:
    """MACs of each layer by pair of channels; its output and input channels; of each unit, where it takes how many."""
    channels: list[int] = []
    taken: Taken = [[] for _ in range(structure.n_units)]
    for op in structure.ops:
        for dim in (op.out_dim, op.in_dim):
            axis = structure.axis_of.get((op.parameter, dim)) if op.parameter else None
            if axis is not None:
                for label, n_channels in zip(*np.unique(axis.labels[axis.labels > 0], return_counts=True), strict=True):
                    taken[label - 1].append((len(channels), int(n_channels)))
            channels.append(structure.shapes[op.parameter][dim] if op.parameter else 1)
    return [op.macs for op in structure.ops], channels, taken


# -- clocks ------------------------------------------------------------------------------------------------

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds that some work takes, and what it returns."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def typical(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median of the seconds that some work takes."""
    return median(timed(work)[0] for _ in range(repeats))


def read_memory(field: str) -> int:
    """Bytes of this process's memory as Linux counts it: VmRSS is resident now, VmHWM was at most."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return 1024 * int(line.split()[1])


def reset_peak() -> int | None:
    """Let the peak of resident memory begin anew; bytes resident now, or None where there is no such counter."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return read_memory("VmRSS")
    except (OSError, StopIteration):
        return None


# -- the table ---------------------------------------------------------------------------------------------

ROWS: tuple[tuple[str, str, Callable[[Figures], str]], ...] = (
    ("input", "", lambda f: f.input),
    ("parameters, million", "", lambda f: f"{f.million_params:.2f}"),
    ("tracing, first in a process, s", "< 5", lambda f: f"{f.trace_first_s:.2f}"),
    ("tracing, s", "< 5", lambda f: f"{f.trace_s:.2f}"),
    ("peak memory of tracing, MB", "< 1000", lambda f: "-" if f.trace_mb is None else f"{f.trace_mb:.0f}"),
    ("steps of the curve", "", lambda f: f"{f.steps}"),
    ("ranking, ms", "", lambda f: f"{f.rank_ms:.2f}"),
    ("curve, all steps, ms", "", lambda f: f"{f.curve_ms:.2f}"),
    ("one budget query, us", "< 50", lambda f: f"{f.query_us:.1f}"),
    ("anew with a pin: rank, curve, query, ms", "", lambda f: f"{f.pin_ms:.2f}"),
    ("building the network, ms", "< 100", lambda f: f"{f.build_ms:.1f}"),
    ("units removed for the budget", "", lambda f: f"{f.removed}"),
    ("recount for every removal, ms", "", lambda f: f"{f.recount_ms:.0f}"),
    ("  counts timed (scaled up to all)", "", lambda f: f"{f.recounted}"),
    ("  recount / query", "> 1000", lambda f: f"{f.recount_ratio:,.0f}"),
    ("torch-pruning by bisection, s", "", lambda f: f"{f.peer.seconds:.2f}" if f.peer else "-"),
    ("  networks it pruned", "", lambda f: f"{f.peer.attempts}" if f.peer else "-"),
    ("  torch-pruning / (query + building)", "", lambda f: f"{f.peer_ratio:,.0f}" if f.peer_ratio else "-"),
)


def table(results: Sequence[Figures]) -> list[str]:
    """One column a model, one line a figure, and below it what became of torch-pruning."""
    where = f"PyTorch {torch.__version__}, threads: {torch.get_num_threads()}"
    lines = [
        f"Budget: {100 * BUDGET:g} % of the MACs. {where}. Medians of {REPEATS} or more.",
        f"{'':<42}{'aim':>8}" + "".join(f"{figures.model:>16}" for figures in results),
    ]
    lines += [f"{name:<42}{aim:>8}" + "".join(f"{show(f):>16}" for f in results) for name, aim, show in ROWS]
    if not tp_way.is_installed():
        return [*lines, f"torch-pruning is not installed: {tp_way.INSTALL}"]
    return [*lines, *(f"torch-pruning on {f.model}: {f.peer.verdict}" for f in results if f.peer)]


if __name__ == "__main__":
    main()
