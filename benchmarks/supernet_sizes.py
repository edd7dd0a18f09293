"""Accuracy and latency over budgets and sizes of images: `python -m benchmarks.supernet_sizes STUDY`.

The networks of a study's supernet that `legr measure --sizes` has timed, and which of them are the fastest at their
accuracy. Rows are kept in a file of results, which `benchmarks.report` makes a table of.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.markdown import header, line
from legr.files import read_json
from legr.study.scaled import ScaledPoint, scaled_points
from legr.study.store import Study
from legr.study.supernets import SupernetRun, supernet_of

RESULTS = Path(__file__).parent / "results" / "supernet-sizes.json"


def line_of(points: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The points that none is both faster than and better, the slowest first."""
    best: list[Mapping[str, Any]] = []
    for point in sorted(points, key=lambda point: (point["milliseconds"], -point["top1"])):
        if not best or point["top1"] > best[-1]["top1"]:
            best.append(point)
    return best[::-1]


def measured(study: Study) -> tuple[SupernetRun, list[ScaledPoint]]:
    """The supernet of a study's default ranking, and its timed networks."""
    run = supernet_of(study, study.default_ranking)
    if run is None:
        raise SystemExit(f"{study.path.name} has no supernet; train one with `python -m legr supernet --sizes …`")
    return run, [point for point in scaled_points(study) if point.supernet == run.key]


def main() -> None:
    """Keep and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    study = Study.open(arguments.study)
    run, points = measured(study)
    found = {
        "network": study.info.model,
        "made": run.provenance.to_dict(),
        "conditions": str(points[0].latency.conditions),
        "points": [
            {
                "height": point.height,
                "budget": point.macs_fraction,
                "macs": point.macs,
                "top1": point.top1,
                "milliseconds": point.latency.milliseconds,
            }
            for point in points
        ],
    }
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    print("\n".join(table(found)))


def table(results: Mapping[str, Any] | None = None) -> Iterator[str]:
    """The line over both axes, and how good networks with the largest images are that are as fast."""
    results = results or read_json(RESULTS)
    points = results["points"]
    own = line_of([point for point in points if point["height"] == max(p["height"] for p in points)])
    yield from header("ms", "top-1, %", "budget, % of the MACs", "height", "same time, largest images, %")
    for point in line_of(points):
        as_fast = [one["top1"] for one in own if one["milliseconds"] <= point["milliseconds"]]
        alone = f"{100 * max(as_fast):.2f}" if as_fast else ""
        budget, top1 = f"{100 * point['budget']:.1f}", f"{100 * point['top1']:.2f}"
        yield line(f"{point['milliseconds']:.3f}", top1, budget, str(point["height"]), alone)


if __name__ == "__main__":
    main()
