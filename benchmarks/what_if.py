"""Whether the card of a layer could say what accuracy another number of filters would bring: tried on supernets.

    python -m benchmarks.what_if [--changes 12] [--out FILE] STUDY …

The study has a supernet. At 70, 50 and 30 % of the MACs, layers at random keep another number of filters, all else as
it is; the slices of the supernet are recalibrated and evaluated on the test images. Beside what truly changes stands
an estimate: the line of the supernet's networks, read at the MACs of both.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.markdown import header, line
from legr.charts.layer_filters import LayerFilters, layer_filters
from legr.charts.trained import together_top1
from legr.charts.what_if import costs_by_count, possible_numbers, with_count
from legr.commands.calibration import calibration_of
from legr.commands.images import images_of
from legr.commands.network import load_supernet
from legr.commands.original import original
from legr.commands.supernet_points import Judge
from legr.files import read_json, write_json
from legr.ranking.budget import BudgetCurve
from legr.structure.types import Keep
from legr.study.store import Study
from legr.study.supernets import supernet_of
from legr.training.device import device_name

SHARES = (0.7, 0.5, 0.3)
RESULTS = Path(__file__).parent / "results" / "what-if.json"
CPU = torch.device("cpu")


def changes_of(
    study: Study, curve: BudgetCurve, keep: Keep, rng: np.random.Generator, changes: int
) -> Iterator[tuple[LayerFilters, int]]:
    """Layers at random, and the number of filters that each keeps instead: up to half more or fewer."""
    layers, multiple = study.structure.layers, study.constraints.multiple
    for place in rng.permutation(len(layers)):
        filters = layer_filters(study.ranker, curve, layers[place].name, None)
        own, numbers = int(keep.kept(layers[place].labels).sum()), possible_numbers(filters)
        near = numbers[(numbers % multiple == 0) & (numbers != own) & (abs(numbers - own) <= max(multiple, own / 2))]
        if own and len(near):
            yield filters, int(rng.choice(near))
            changes -= 1
        if not changes:
            return


def measured(study: Study, changes: int) -> dict[str, Any]:
    """True and estimated changes of top-1 of a study's supernet."""
    name, model, dataset = study.default_ranking, original(study), images_of(study)
    run, curve, rng = supernet_of(study, study.default_ranking), study.curve(), np.random.default_rng(0)
    if run is None:
        raise SystemExit(f"{study.path.name} has no supernet; train one with `python -m legr supernet`")
    supernet, read = load_supernet(study, model, run), together_top1(curve, run)
    judge = Judge(curve, dataset, study.info.normalization, calibration_of(study, dataset, CPU), CPU)
    rows = []
    for share in SHARES:
        keep = curve.at(macs=max(share, curve.floor))
        before = judge.point(judge.network(supernet, keep), keep)
        for filters, kept in changes_of(study, curve, keep, rng, changes):
            other = with_count(keep, filters, kept)
            point = judge.point(judge.network(supernet, other), other)
            costs = costs_by_count(study.structure, keep, filters, np.array([kept]))
            assert costs.macs[0] == point.macs
            readings = read(before.macs), read(point.macs)
            if None not in readings:
                estimate = readings[1].value - readings[0].value  # type: ignore[union-attr]
                own = int(keep.kept(filters.layer.labels).sum())
                rows.append(
                    {
                        "share": share,
                        "layer": filters.layer.name,
                        "from": own,
                        "to": kept,
                        "macs": (point.macs - before.macs) / curve.original.macs,
                        "true": point.top1 - before.top1,
                        "estimate": estimate,
                    }
                )
                print(rows[-1], flush=True)
    return {
        "study": study.path.name,
        "network": study.info.model,
        "ranking": name,
        "machine": device_name(CPU),
        "changes": rows,
    }


def table(results: Sequence[Mapping[str, Any]] | None = None) -> Iterator[str]:
    """Distances between true and estimated changes, in points, by study and share of the MACs."""
    yield from header(
        "network", "% of the MACs", "changes", "true change, mean", "off, mean", "off, 90 % within", "bias"
    )
    for found in results or read_json(RESULTS):
        for share in SHARES:
            rows = [row for row in found["changes"] if row["share"] == share]
            if not rows:
                continue
            off = np.array([row["estimate"] - row["true"] for row in rows])
            size = np.abs([row["true"] for row in rows]).mean()
            figures = (size, np.abs(off).mean(), np.quantile(np.abs(off), 0.9), off.mean())
            numbers = (f"{100 * figure:.2f}" for figure in figures)
            yield line(found["network"], f"{100 * share:.0f}", str(len(rows)), *numbers)


def main() -> None:
    """Measure, keep and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="+", type=Path)
    parser.add_argument("--changes", type=int, default=12, help="of each share")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    before = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for path in arguments.studies:
        found = measured(Study.open(path), arguments.changes)
        before = [*(one for one in before if one["study"] != found["study"]), found]
        write_json(arguments.out, before)
    print("\n".join(table(before)))


if __name__ == "__main__":
    main()
