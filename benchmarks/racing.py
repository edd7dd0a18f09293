"""How much racing saves, and how often it loses the best candidate: replays of one recorded search.

    python -m benchmarks.racing --study STUDY [--budgets 0.47] [--candidates 320] [--out FILE]

A search without racing is recorded once, in FILE: the loss of every candidate on every batch. Each of 100 seeded
replays then shuffles the candidates (the identity stays first) and the batches, races, and says whether the same
candidate wins and what share of the images that took.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from legr.commands.learn import search_of
from legr.ranking.types import Affine, FloatArray
from legr.search.journal import Journal
from legr.search.racing import Race
from legr.search.types import Candidate, Proposal, best_of
from legr.study.records import SearchSettings
from legr.study.store import Study

REPLAYS = 100
NOTHING = Proposal(Affine.identity(1))


def main() -> None:
    """Record what is missing, replay, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--budgets", default="0.47", help="fractions of MACs, separated by commas")
    parser.add_argument("--candidates", type=int, default=320)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    budgets = tuple(float(text) for text in options.budgets.split(","))
    table = record(Study.open(options.study), budgets, options.candidates, options.out)
    outcomes = [replay(table, seed) for seed in range(REPLAYS)]
    same = sum(is_same for is_same, _ in outcomes)
    seen = np.array([share for _, share in outcomes])
    print(f"{len(table)} candidates, {table.shape[1]} budgets, {table.shape[2]} batches")
    print(f"same best candidate in {same} of {REPLAYS} replays")
    print(f"images evaluated: {100 * seen.mean():.1f} % on average, {100 * seen.max():.1f} % at most")


def record(study: Study, budgets: tuple[float, ...], n_candidates: int, path: Path) -> FloatArray:
    """Losses of N different candidates of an evolution without racing, at B budgets on K batches, float64[N, B, K]."""
    journal = Journal(path)
    if len(journal.finished) < n_candidates:
        settings = SearchSettings(method="evolution", budgets=budgets)
        search = replace(search_of(study, settings, torch.device("cpu")), racing=False)
        while len(journal.finished) < n_candidates:
            journal.add(search.next(journal.finished))
    by_key = {candidate.key: candidate.losses for candidate in reversed(journal.finished)}
    by_key = {journal.finished[0].key: journal.finished[0].losses, **by_key}
    return np.stack(list(by_key.values()))


def replay(table: FloatArray, seed: int) -> tuple[bool, float]:
    """Race through the table in another order: whether the best wins, and the share of the images seen."""
    rng = np.random.default_rng(seed)
    order = np.concatenate(([0], 1 + rng.permutation(len(table) - 1)))
    table = table[order][:, :, rng.permutation(table.shape[2])]
    race = Race(table[0])
    finished = [Candidate(NOTHING, table[0], race.value(table[0]), 0, 0.0, False, "")]
    seen = table.shape[2]
    for losses in table[1:]:
        best = finished[best_of(finished)]
        partial = np.full_like(losses, np.nan)
        for number in range(table.shape[2]):
            partial[:, number] = losses[:, number]
            seen += 1
            if number + 1 < table.shape[2] and race.has_lost(partial, best.losses):
                break
        value, stopped = race.verdict(partial, best)
        finished.append(Candidate(NOTHING, partial, value, 0, 0.0, stopped, ""))
    values = [race.value(losses) for losses in table]
    return best_of(finished) == int(np.argmin(values)), seen / (len(table) * table.shape[2])


if __name__ == "__main__":
    main()
