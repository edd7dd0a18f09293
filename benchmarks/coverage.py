"""What can be pruned of every architecture, proved: `python -m benchmarks.coverage [NAME[@SIZE] …] [--timm] [--json]`.

Every model runs in a process of its own; a row says its removable units, the
share of its MACs that pruning reaches, how long tracing and the proof took, the memory that tracing needed
beyond the model's weights, the error of zeroed = removed, and for how many of 20 random budgets the built
network cost what was predicted, to the unit: MACs, parameters, activation memory. Ends with 1 if a model fails.
"""

import resource
import sys
import time

import numpy as np
import torch

import legr
from benchmarks.architectures import ALL, Row, Survey, build, shape_of
from legr.structure.counters import count
from legr.structure.unprunable import prunable_macs

BUDGETS = 20


def measure(name: str) -> Row:
    """Trace, prove and count one model in this process."""
    name, shape = shape_of(name)
    model, image = build(name), torch.zeros(1, *shape)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    structure = legr.trace(model, image)
    traced = time.perf_counter()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    error = legr.verify(model, structure, image)
    verified = time.perf_counter()
    exact, of = _exact_budgets(model, structure, image)
    return {
        "model": name,
        "input": "x".join(map(str, image.shape)),
        "units": structure.n_units,
        "prunable_macs": prunable_macs(structure),
        "trace_seconds": traced - start,
        "trace_megabytes": grown * 1024 / 1e6,
        "weight_megabytes": 4e-6 * legr.cost(structure, legr.Keep(np.ones(structure.n_units, dtype=bool))).params,
        "verify_seconds": verified - traced,
        "self_check": error,
        "exact_budgets": exact,
        "budgets": of,
        "held": sorted({(r.operation, r.reason) for r in structure.unprunable if r.operation != "output"}),
        "tied": sorted({(r.operation, r.reason) for r in structure.coupled}),
        "exempt": len(structure.exempt),
        "untouched": list(structure.untouched),
    }


def _exact_budgets(model: torch.nn.Module, structure: legr.Structure, image: torch.Tensor) -> tuple[int, int]:
    """For how many random budgets the built network costs exactly what the curve says."""
    if not structure.n_units:
        return 0, 0
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    budgets = np.random.default_rng(0).uniform(curve.floor, 1, BUDGETS)
    exact = 0
    for budget in budgets.tolist():
        step = curve.step(macs=budget)
        predicted = legr.Cost(int(curve.macs[step]), int(curve.params[step]), int(curve.activation[step]))
        exact += count(legr.prune(model, structure, curve.keep(step)), image) == predicted
    return exact, BUDGETS


def _line(row: Row) -> str:
    return (
        f"{row['model']:<40}{row['units']:>7}{100 * row['prunable_macs']:>8.1f}%{row['trace_seconds']:>7.1f}s"
        f"{row['trace_megabytes']:>6.0f} MB{row['verify_seconds']:>8.1f}s{row['self_check']:>9.0e}"
        f"{row['exact_budgets']:>5}/{row['budgets']}"
    )


def _is_right(row: Row) -> bool:
    return bool(row["self_check"] < 1e-9 and row["exact_budgets"] == row["budgets"])


_HEADING = f"{'model':<40}{'units':>7}{'prunable':>9}{'trace':>8}{'memory':>9}{'proof':>9}{'error':>9}{'exact':>8}"
SURVEY = Survey("benchmarks.coverage", __doc__, ALL, measure, _line, _is_right, _HEADING)

if __name__ == "__main__":
    sys.exit(SURVEY.run())
