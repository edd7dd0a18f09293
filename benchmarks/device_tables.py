"""How well a device profile predicts: `python -m benchmarks.device_tables [NAME[@SIZE] …] [--runtime …] [--out FILE]`.

Every network has random weights and runs on one thread with one image. After the profile is fitted to its own whole
networks it predicts others, timed in the same passes: random maps with multiples of 1, 4, 8 and 16, pinned layers, and
random kept sets, which follow no ranking. A row says how long the profile took and how large the errors are.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import legr
from benchmarks.architectures import build, shape_of
from legr.commands.profile import Subject, make_profile, network_in
from legr.deploy.latency import conditions_here
from legr.deploy.profile_notes import Notes
from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import Constraints
from legr.ranking.order import Ranker
from legr.ranking.types import Affine
from legr.structure.copies import at_least_one
from legr.structure.cost import counts_of
from legr.structure.types import Keep
from legr.study.device_profile import DeviceProfile
from legr.study.latency import Conditions, Runtime

NAMES = ("cifar_resnet56", "resnet18@224", "mobilenet_v2@224", "efficientnet_b0@224")
RESULTS = Path(__file__).parent / "results" / "device-tables.json"
_MAPS, _PINNED, _RANDOM = 24, 4, 4  # networks of each kind
_SPREAD = 0.7  # of the logarithm of alpha


def subject_of(name: str) -> Subject:
    """A network with random weights; the same name gives the same network."""
    name, shape = shape_of(name, largest=None)
    model = build(name).eval()
    structure = legr.trace(model, torch.zeros(1, *shape))
    return Subject(model, Ranker(structure, legr.filter_norms(model, structure)), shape)


def conditions(runtime: Runtime) -> Conditions:
    """The processor, one thread, one image."""
    return conditions_here(runtime, torch.device("cpu"))


@dataclass(frozen=True, slots=True)
class Other:
    """A network that a profile is judged by."""

    kind: str
    keep: Keep


def others(ranker: Ranker) -> Iterator[Other]:
    """Networks that no profile is fitted to."""
    rng, structure = np.random.default_rng(1), ranker.structure
    for number in range(_MAPS + _PINNED):
        multiple = (1, 4, 8, 16)[number % 4]
        alpha = np.exp(rng.normal(0, _SPREAD, len(structure.layers)))
        kappa = rng.normal(0, 0.3, len(structure.layers)) * ranker.norms.deviations
        pins = {}
        if number >= _MAPS:
            multiple, layer = 1, structure.layers[rng.integers(len(structure.layers))]
            pins = {layer.name: int(rng.integers(layer.total // 2, layer.total + 1))}
        ranking = ranker.rank(Affine(alpha, kappa), Constraints(multiple=multiple, pins=pins))
        curve = BudgetCurve(structure, ranking)
        budget = float(rng.uniform(max(0.2, curve.floor + 0.01), 0.95))
        yield Other("pinned" if pins else f"multiples of {multiple}", curve.at(macs=min(budget, 1.0)))
    for _ in range(_RANDOM):
        units = rng.random(structure.n_units) < rng.uniform(0.4, 0.95)
        yield Other("random", Keep(at_least_one(structure, units)))


def measure(name: str, subject: Subject, runtime: Runtime) -> tuple[dict[str, Any], DeviceProfile]:
    """One row, and the profile that it judges."""
    here, judged = conditions(runtime), list(others(subject.ranker))
    network = network_in(runtime, subject, torch.device("cpu"), threads=here.threads, batch=here.batch)
    found = make_profile("benchmark", subject, network, here, Notes(), others=[other.keep for other in judged])
    structure, profile = subject.structure, found.profile
    counts = counts_of(structure, *(other.keep for other in judged))
    errors = profile.table(structure).milliseconds(counts) / found.others - 1
    fitted = profile.errors
    row = {
        "network": name,
        "conditions": str(here),
        "seconds": profile.seconds,  # with the networks that it is judged by
        "kinds": len(profile.times),
        "points": sum(len(times.milliseconds) for times in profile.times),
        "quantum": profile.quantum,
        "contended": profile.contended,
        "left_out": [round(error, 4) for error in fitted],
        "median": round(float(np.median(np.abs(errors))), 4),
        "p95": round(float(np.quantile(np.abs(errors), 0.95)), 4),
        "bias": round(float(np.median(errors)), 4),
        "by_kind": {
            kind: round(float(np.median([abs(e) for e, o in zip(errors, judged, strict=True) if o.kind == kind])), 4)
            for kind in dict.fromkeys(other.kind for other in judged)
        },
        "multiples": {str(m.multiple): m.milliseconds for m in profile.multiples},
    }
    return row, profile


def keep_row(row: dict[str, Any], path: Path) -> None:
    """Write a row into a file of results, in place of that of the same network under the same conditions."""
    rows = json.loads(path.read_text()) if path.exists() else []
    others = [r for r in rows if (r["network"], r["conditions"]) != (row["network"], row["conditions"])]
    path.write_text(json.dumps([*others, row], indent=1) + "\n")


def main() -> None:
    """Measure, print a table and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--runtime", choices=("onnxruntime", "pytorch"), default="onnxruntime")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.names:
        row, _ = measure(name, subject_of(name), arguments.runtime)
        keep_row(row, arguments.out)
        print(
            f"| {name} | {row['points']} | {row['seconds']:.0f} s | {100 * row['left_out'][0]:.1f} / "
            f"{100 * row['left_out'][1]:.1f} % | {100 * row['median']:.1f} / {100 * row['p95']:.1f} % |",
            flush=True,
        )


if __name__ == "__main__":
    main()
