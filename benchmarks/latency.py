"""What budgets buy in milliseconds: `python -m benchmarks.latency NAME[@SIZE] [--learned LABEL=STUDY …] [--out FILE]`.

Orders of removal are compared at fractions of the original's MACs, and at fractions of its milliseconds as its profile
predicts them; every network is then timed in ONNX Runtime on one thread, all in turns. A cell is how many times faster
than the original a network is. Beside orders that need no training images stand learned ones, of studies of the same
network. Each order is rounded to multiples of 1 (not at all), 8 and 16, without blocks and with them. The profile is
judged on the way, and its row of `benchmarks.device_tables` kept.
"""

import argparse
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import legr
from benchmarks import device_tables
from benchmarks.device_tables import conditions, keep_row, subject_of
from legr.commands.original import original
from legr.commands.profile import Subject
from legr.deploy.latency import time_session
from legr.deploy.sessions import Sessions
from legr.deploy.template_cache import template_of
from legr.errors import BudgetError
from legr.ranking.blocks import order_blocks
from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import Constraints
from legr.ranking.limits import Budget
from legr.ranking.order import Ranker
from legr.ranking.prices import per_price, unit_activation, unit_latency
from legr.ranking.types import Affine, Ranking
from legr.structure.latency import LatencyTable
from legr.structure.types import Keep
from legr.study.device_profile import DeviceProfile
from legr.study.kept_sets import keep_id
from legr.study.store import Study

RESULTS = Path(__file__).parent / "results" / "latency.json"
SHARES = (0.9, 0.8, 0.7, 0.5, 0.3, 0.2)
MULTIPLES = (1, 8, 16)
_PASSES, _SECONDS = 4, 0.08


@dataclass(frozen=True, slots=True)
class Cell:
    """One network of the table."""

    order: str
    multiple: int
    blocks: bool
    by: str  # what the budget limits: "macs" or "latency"
    share: float
    keep: Keep


def rankings(
    subject: Subject, table: LatencyTable, learned: Mapping[str, Affine], constraints: Constraints
) -> Iterator[tuple[str, Ranking]]:
    """Orders of removal by name."""
    ranker, structure = subject.ranker, subject.structure
    yield "uniform", ranker.rank_uniform(constraints)
    yield "norms", ranker.rank(constraints=constraints)
    whole, scores = Keep(np.ones(structure.n_units, dtype=bool)), ranker.scores()
    by_latency = unit_latency(ranker.footprints, whole, table, max(constraints.multiple, 8))
    yield "norms / latency", order_blocks(ranker.footprints, per_price(scores, by_latency), constraints)
    activation = per_price(scores, unit_activation(structure))
    yield "norms / activations", order_blocks(ranker.footprints, activation, constraints)
    for name, affine in learned.items():
        yield name, ranker.rank(affine, constraints)


def cells(subject: Subject, table: LatencyTable, learned: Mapping[str, Affine]) -> Iterator[Cell]:
    """All networks of the table that there are; a budget below the floor of an order is none."""
    for blocks in (False, True) if subject.structure.branches else (False,):
        for multiple in MULTIPLES:
            constraints = Constraints(multiple=multiple, blocks=blocks)
            for order, ranking in rankings(subject, table, learned, constraints):
                for by, device in (("macs", None), ("latency", table)):
                    curve = BudgetCurve(subject.structure, ranking, device)
                    for share in SHARES:
                        try:
                            keep = curve.at(Budget(macs=share) if by == "macs" else Budget(latency=share))
                        except BudgetError:
                            continue
                        yield Cell(order, multiple, blocks, by, share, keep)


def time_all(subject: Subject, keeps: Mapping[str, Keep]) -> dict[str, float]:
    """Milliseconds of each network: the fastest pass of several, in turns."""
    template = template_of(subject.model, subject.structure, subject.input_shape)
    sessions = Sessions(subject.model, subject.structure, subject.input_shape, template, threads=1, batch=1)
    times: dict[str, list[float]] = {name: [] for name in keeps}
    for _ in range(_PASSES):
        for name, keep in keeps.items():
            seconds = time_session(sessions.of(keep), subject.input_shape, batch=1, seconds=_SECONDS)
            times[name].append(statistics.median(seconds) * 1e3)
    return {name: min(passes) for name, passes in times.items()}


def measure(name: str, subject: Subject, profile: DeviceProfile, learned: Mapping[str, Affine]) -> dict[str, Any]:
    """The table of a network, by the profile of the device."""
    table = profile.table(subject.structure)
    found = list(cells(subject, table, learned))
    whole = Keep(np.ones(subject.structure.n_units, dtype=bool))
    times = time_all(subject, {keep_id(keep): keep for keep in (whole, *(cell.keep for cell in found))})
    original_ms = times[keep_id(whole)]
    rows: dict[tuple[str, int, bool, str], dict[str, float]] = {}
    for cell in found:
        row = rows.setdefault((cell.order, cell.multiple, cell.blocks, cell.by), {})
        row[str(cell.share)] = round(original_ms / times[keep_id(cell.keep)], 3)
    keys = ("order", "multiple", "blocks", "by")
    return {
        "network": name,
        "conditions": str(conditions("onnxruntime")),
        "contended": profile.contended,
        "original_ms": round(original_ms, 3),
        "errors": [round(error, 4) for error in profile.errors],
        "rows": [{**dict(zip(keys, key, strict=True)), "speed_up": row} for key, row in rows.items()],
    }


def printed(result: Mapping[str, Any]) -> Iterator[str]:
    """The table in Markdown."""
    yield f"{result['network']}: {result['original_ms']} ms, {result['conditions']}"
    for by in ("macs", "latency"):
        yield f"| at a share of the {by} | multiple | blocks | " + " | ".join(f"{100 * s:g} %" for s in SHARES) + " |"
        yield "|---|---|---|" + "---|" * len(SHARES)
        for row in result["rows"]:
            if row["by"] == by:
                shown = (f"{row['speed_up'][str(s)]:.2f}" if str(s) in row["speed_up"] else "–" for s in SHARES)
                blocks = "yes" if row["blocks"] else "no"
                yield f"| {row['order']} | {row['multiple']} | {blocks} | " + " | ".join(shown) + " |"
        yield ""


def main() -> None:
    """Measure, print and keep the table of one network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--study", type=Path, help="take the network and its weights from a study")
    parser.add_argument(
        "--learned", action="append", default=[], help="LABEL=STUDY or LABEL=STUDY:RANKING, whose map is compared"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.study:
        study = Study.open(arguments.study)
        model = original(study)  # traced anew, as an earlier version did not look for blocks
        structure = legr.trace(model, torch.zeros(1, *study.info.input_shape))
        subject = Subject(model, Ranker(structure, study.norms), study.info.input_shape)
    else:
        subject = subject_of(arguments.name)
    learned = {}
    for text in arguments.learned:
        label, _, which = text.partition("=")
        path, _, ranking = which.partition(":")
        found = Study.open(path).map_of(ranking or "learned")
        assert found is not None, f"{which} was not learned"
        learned[label] = found.affine
    row, profile = device_tables.measure(arguments.name, subject, "onnxruntime")
    keep_row(row, device_tables.RESULTS)
    result = measure(arguments.name, subject, profile, learned)
    keep_row(result, arguments.out)
    print("\n".join(printed(result)))


if __name__ == "__main__":
    main()
