"""How long a budget takes once the ranking is known, beside planning it filter by filter.

    python -m benchmarks.budget_curve [MODEL ...]

Both are timed in the same run, so that their ratio holds on a noisy machine. The naive way is the one of the
released LeGR code: count the network's MACs afresh after every removal.
"""

import sys
import time

import torch

import legr
from legr.structure.cost import cost
from legr.structure.types import Keep
from legr.training.models import build_model, find_spec


def main() -> None:
    """Print one line a model."""
    print(f"{'model':<16}{'units':>8}{'rank ms':>10}{'curve ms':>10}{'budget us':>11}{'naive ms':>10}{'ratio':>9}")
    for name in sys.argv[1:] or ["cifar_resnet56", "mobilenet_v2", "resnet50"]:
        model = build_model(name, 10)
        structure = legr.trace(model, torch.zeros(1, *find_spec(name).input_shape))
        norms = legr.filter_norms(model, structure)
        legr.rank(structure, norms)
        start = time.perf_counter()
        ranking = legr.rank(structure, norms)
        ranked = time.perf_counter()
        curve = legr.BudgetCurve(structure, ranking)
        curve.at(macs=0.99)
        computed = time.perf_counter()
        for i in range(200):
            curve.at(macs=0.3 + i / 400)
        budget_s = (time.perf_counter() - computed) / 200
        naive_s = naive(structure, ranking, 0.5)
        print(
            f"{name:<16}{structure.n_units:>8}{1e3 * (ranked - start):>10.2f}{1e3 * (computed - ranked):>10.2f}"
            f"{1e6 * budget_s:>11.1f}{1e3 * naive_s:>10.0f}{naive_s / budget_s:>9.0f}"
        )


def naive(structure: legr.Structure, ranking: legr.Ranking, budget: float) -> float:
    """Seconds to find one budget by counting the whole network after every removal."""
    start = time.perf_counter()
    units = (ranking.scores == ranking.scores).copy()
    limit = budget * cost(structure, Keep(units)).macs
    for unit in ranking.order:
        units[unit] = False
        if cost(structure, Keep(units)).macs <= limit:
            break
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
