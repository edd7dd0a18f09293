"""Which score of an untrained candidate tells how good it is after fine-tuning, and at what price.

    python -m benchmarks.fitness --study STUDY [--budgets 0.2,0.47] [--rankings NAME ...] [--out FILE]

Eight rankings of different quality are made once; FILE holds their maps and all results. Every network is fine-tuned
for the same two epochs (SGD, distilled) and tested on all test images; that is the truth. Every score then ranks the
same networks. FILE is written after each row, and a second call goes on where the first stopped.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from benchmarks.studies import CPU, Bench
from legr.commands.learn import search_of
from legr.data.batches import Augmentation, iterate
from legr.data.images import Split
from legr.files import read_json, write_json
from legr.ranking.types import Affine
from legr.search.fitness import Fitness
from legr.structure.types import Keep
from legr.study.records import SearchSettings

IMAGES = 2000
PROPOSALS = 8  # of the gradient, of five steps each
GRADIENT = {"stride": 5.0, "images": 256.0}


def main() -> None:
    """Fine-tune, score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--budgets", default="0.2,0.47")
    parser.add_argument("--rankings", nargs="+", help="names; by default all eight")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    bench = Bench.of(options.study)
    logits = options.out.with_suffix(".logits")
    results = read_json(options.out) if options.out.exists() else {"maps": {}, "truth": {}, "scores": {}}
    if not results["maps"]:
        results["maps"] = {name: _plain(affine) for name, affine in _maps(bench).items()}
        write_json(options.out, results)
    names = options.rankings or ["uniform", *results["maps"]]
    budgets = [float(text) for text in options.budgets.split(",")]
    rows = [
        (f"{name}@{budget:g}", bench.keep(_map(results["maps"].get(name)), budget))
        for budget in budgets
        for name in names
    ]
    for row, keep in rows:
        if row not in results["truth"]:
            start = time.perf_counter()
            after = bench.fine_tuned(keep, logits, options.out.with_suffix(f".{row}.safetensors"))
            seconds = time.perf_counter() - start
            results["truth"][row] = {"top1": after.top1, "loss": after.loss, "seconds": seconds}
            write_json(options.out, results)
    for name, make in SCORES.items():
        missing = [(row, keep) for row, keep in rows if f"{name}:{row}" not in results["scores"]]
        if not missing:
            continue
        score_of = make(bench)
        for row, keep in missing:
            start = time.perf_counter()
            value = score_of(keep)
            results["scores"][f"{name}:{row}"] = {"value": value, "seconds": time.perf_counter() - start}
            write_json(options.out, results)
    print("\n".join(table(results, names, budgets)))


# -- rankings of different quality -----------------------------------------------------------------------------


def _maps(bench: Bench) -> dict[str, Affine]:
    """Seven maps: from plain norms, noise and prejudice to what a gradient finds."""
    ranker = bench.study.ranker
    n_layers, deviations = len(bench.structure.layers), ranker.norms.deviations
    rng = np.random.default_rng(1)
    layers, units, _ = ranker.filters
    scored_by = np.bincount(units, minlength=bench.structure.n_units)
    coupled = np.array([scored_by[units[layers == layer]].mean() > 1.5 for layer in range(n_layers)])
    largest = max(float(values.max()) for values in ranker.norms.values)
    return {
        "identity": Affine.identity(n_layers),
        "half a mutation": _mutant(rng, deviations, 0.5),
        "a mutation": _mutant(rng, deviations, 1.0),
        "inner layers only": Affine(np.ones(n_layers), np.where(coupled, 10 * largest, 0.0)),
        "residual streams first": Affine(np.where(coupled, 0.2, 1.0), np.zeros(n_layers)),
        "gradient at 0.2": _gradient(bench, (0.2,)),
        "gradient, slider": _gradient(bench, ()),
    }


def _mutant(rng: np.random.Generator, deviations: np.ndarray, step: float) -> Affine:
    n_layers = len(deviations)
    return Affine(np.exp(rng.normal(size=n_layers) * step), rng.normal(size=n_layers) * deviations * step)


def _gradient(bench: Bench, budgets: tuple[float, ...]) -> Affine:
    search = search_of(bench.study, SearchSettings(method="gradient", budgets=budgets, options=GRADIENT), CPU)
    candidate = search.next([])
    for _ in range(PROPOSALS):
        candidate = replace(candidate, proposal=search.learner.propose([candidate]))
    return candidate.affine


def _plain(affine: Affine) -> dict[str, list[float]]:
    return {"alpha": affine.alpha.tolist(), "kappa": affine.kappa.tolist()}


def _map(stored: dict[str, list[float]] | None) -> Affine | None:
    return Affine.of(**stored) if stored else None


# -- scores ----------------------------------------------------------------------------------------------------

ScoreOf = Callable[[Keep], float]


def _fitness(**settings: Any) -> Callable[[Bench], ScoreOf]:
    """Mean loss as a search scores it."""

    def make(bench: Bench) -> ScoreOf:
        search_settings = SearchSettings(images=IMAGES, **settings)
        fitness = Fitness(bench.model, bench.structure, bench.dataset, bench.normalization, search_settings, CPU)
        return lambda keep: float(fitness([keep]).losses.mean())

    return make


def _cropped(bench: Bench) -> ScoreOf:
    """The same with the statistics of batches that are cropped from a black border and flipped."""

    class Cropped(Fitness):
        def _read(self, split: Split, order: Tensor, batch: int, dtype: torch.dtype) -> Iterator[tuple[Tensor, Tensor]]:
            augment = Augmentation(torch.Generator().manual_seed(0), black=True)
            return iterate(split, bench.normalization, batch=batch, dtype=dtype, order=order, augment=augment)

    settings = SearchSettings(images=IMAGES)
    fitness = Cropped(bench.model, bench.structure, bench.dataset, bench.normalization, settings, CPU)
    return lambda keep: float(fitness([keep]).losses.mean())


def _norms_and_head(steps: int) -> Callable[[Bench], ScoreOf]:
    """Mean loss after some steps that train vectors and the last layer only."""

    class Few(Fitness):
        def trained(self, network: nn.Module) -> list[nn.Parameter]:
            head = [m for m in network.modules() if isinstance(m, nn.Linear)][-1]
            return [p for p in network.parameters() if p.dim() == 1 or p is head.weight]

    def make(bench: Bench) -> ScoreOf:
        search_settings = SearchSettings(images=IMAGES, sgd_steps=steps)
        fitness = Few(bench.model, bench.structure, bench.dataset, bench.normalization, search_settings, CPU)
        return lambda keep: float(fitness([keep]).losses.mean())

    return make


def _narrowest(bench: Bench) -> ScoreOf:
    """What fine-tuning cannot restore, without any image: mean of the negative logarithms of the kept shares."""

    def value(keep: Keep) -> float:
        shares = [keep.kept(labels).mean() for labels in (layer.labels for layer in bench.structure.layers)]
        return -float(np.log(shares).mean())

    return value


def _with_narrowest(weight: float) -> Callable[[Bench], ScoreOf]:
    def make(bench: Bench) -> ScoreOf:
        loss, narrow = _fitness()(bench), _narrowest(bench)
        return lambda keep: loss(keep) + weight * narrow(keep)

    return make


SCORES: dict[str, Callable[[Bench], ScoreOf]] = {
    "batch statistics": _fitness(),
    "batch statistics, crops": _cropped,
    "recalibrated": _fitness(statistics="recalibrated"),
    "stale": _fitness(statistics="stale"),
    "10 steps": _fitness(sgd_steps=10),
    "50 steps": _fitness(sgd_steps=50),
    "20 steps, norms and head": _norms_and_head(20),
    "narrow layers": _narrowest,
    "batch + narrow layers": _with_narrowest(1.0),
}


# -- what it says ----------------------------------------------------------------------------------------------


def table(results: dict[str, Any], names: Sequence[str], budgets: Sequence[float]) -> list[str]:
    """Top-1 after fine-tuning, and for every score its rank correlation with that and its price."""
    lines = [f"{'top-1 after fine-tuning, %':<28}" + "".join(f"{budget:>9g}" for budget in budgets)]
    truth = {row: facts["top1"] for row, facts in results["truth"].items()}
    for name in names:
        lines.append(f"{name:<28}" + "".join(f"{100 * truth[f'{name}@{budget:g}']:9.2f}" for budget in budgets))
    lines.append(f"\n{'rank correlation':<28}" + "".join(f"{budget:>9g}" for budget in budgets) + "     mean  seconds")
    for score_name in SCORES:
        correlations, seconds = [], []
        for budget in budgets:
            rows = [f"{name}@{budget:g}" for name in names]
            scores = [results["scores"][f"{score_name}:{row}"] for row in rows]
            correlations.append(_spearman([-s["value"] for s in scores], [truth[row] for row in rows]))
            seconds += [s["seconds"] for s in scores]
        figures = "".join(f"{c:9.2f}" for c in correlations)
        lines.append(f"{score_name:<28}{figures}{np.mean(correlations):9.2f}{np.median(seconds):9.2f}")
    return lines


def _spearman(first: Sequence[float], second: Sequence[float]) -> float:
    ranks = [pd.Series(values).rank() for values in (first, second)]  # of ties, the mean of theirs
    return float(np.corrcoef(*ranks)[0, 1])


if __name__ == "__main__":
    main()
