"""Put measured tables into the documents of results and latency, between the marks that name them; the rest is by hand.

    python -m benchmarks.report

Every figure comes from `benchmarks/results/` or from the sample study; a row is there when its run has finished.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean

from safetensors import safe_open

from benchmarks import latency_report, seven_networks, supernet_sizes, what_if
from benchmarks.markdown import header, line
from benchmarks.tuning import TABLES, rows_of
from legr.files import read_json
from legr.study.catalog import SAMPLES
from legr.study.measured import read_points
from legr.study.provenance import Provenance
from legr.study.records import Point, RankingName

_DOCS = Path(__file__).resolve().parents[1] / "docs"
DOCUMENTS = (_DOCS / "results.md", _DOCS / "supernet.md", *latency_report.DOCUMENTS)
SPEED = Path(__file__).parent / "results" / "training.json"
FLAGSHIP = SAMPLES / "cifar10_resnet56"
MILLISECONDS = SPEED.parent / "for-milliseconds.json"
SUPERNETS = SPEED.parent / "supernets.json"
FLAGSHIP_MACS = SPEED.parent / "flagship-macs"  # the points of the sample before it was rounded and timed for a device
_ORDERS: tuple[RankingName, ...] = ("learned", "identity", "uniform")
_BLOCK = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)


def main() -> None:
    """Write the tables anew."""
    for document in DOCUMENTS:
        document.write_text(refreshed(document.read_text(encoding="utf-8")), encoding="utf-8")


def refreshed(text: str) -> str:
    """The document with every table as the results have it now."""
    return _BLOCK.sub(lambda match: f"{match[1]}{_block(match[2])}{match[3]}", text)


def _block(name: str) -> str:
    return "".join(f"{line}\n" for line in BLOCKS[name]())


def training() -> Iterator[str]:
    """The cycles in which the sample's network was trained, as its weights tell."""
    with safe_open(FLAGSHIP / "weights.safetensors", framework="np") as file:
        cycles = [json.loads(file.metadata()["made"])]
    while "first" in cycles[0]:
        cycles.insert(0, cycles[0]["first"]["made"])
    yield from header("cycle", "epochs", "test images", "held-out images")
    for number, made in enumerate(cycles, 1):
        top1s = (f"{100 * made[name]:.2f}" for name in ("top1", "heldout_top1"))
        yield line(str(number), str(made["settings"]["epochs"]), *top1s)
    yield ""
    yield from _commands([(f"cycle {number}", Provenance.from_dict(made)) for number, made in enumerate(cycles, 1)])


def flagship() -> Iterator[str]:
    """Budgets of MACs, channels as they come: before fine-tuning, and after; milliseconds timed as the original's."""
    points = read_points(FLAGSHIP_MACS)[0]
    original = next(point for point in points if point.ranking == "original")
    yield from header(
        "MACs asked, %",
        *(f"{ranking} before" for ranking in _ORDERS),
        *(f"{ranking} after" for ranking in _ORDERS),
        *(f"{ranking}, ms" for ranking in _ORDERS),
    )
    yield line("100", f"{100 * original.top1:.2f}", *[""] * 5, _milliseconds(original, original), "", "")
    by_network = {(p.ranking, p.budget, bool(p.finetuned)): p for p in points}
    for budget in sorted({p.budget for p in points if p.ranking != "original"}, reverse=True):
        cells = [by_network.get((ranking, budget, tuned)) for tuned in (False, True) for ranking in _ORDERS]
        times = (_milliseconds(point, original) for point in cells[: len(_ORDERS)])
        yield line(f"{100 * budget:g}", *(_top1(point) for point in cells), *times)
    yield ""
    yield from _commands([(f"{p.ranking}, {100 * p.budget:g} %", p.provenance) for p in points if p.finetuned])


def for_milliseconds() -> Iterator[str]:
    """Networks that were trained for a share of the milliseconds, beside each other."""
    found = read_json(MILLISECONDS)
    columns = "MACs, %", "blocks left", "milliseconds", "times as fast", "as cut", "trained"
    yield from header("of the predicted milliseconds", "ranking", "multiple", *columns)
    blocks, top1 = str(found["original_blocks"]), f"{100 * found['original_top1']:.2f}"
    yield line("all", "", "", "100", blocks, f"{found['original_ms']:.2f}", "1.00", top1, "")
    runs = []
    for row in sorted(found["rows"], key=lambda row: (-row["share"], -row["top1"])):
        share = f"{100 * row['share']:g} %"
        budgets = ", ".join(f"{100 * budget:g} %" for budget in row["budgets"])
        ranking = row["ranking"] + (f" for {budgets}" if budgets else "")
        multiple = f"{row['multiple']}{'' if row['blocks'] else ', no blocks leave'}"
        cost = f"{100 * row['macs_fraction']:.1f}", str(row["blocks_left"]), f"{row['milliseconds']:.2f}"
        top1s = (f"{100 * row[name]:.2f}" for name in ("top1_before", "top1"))
        yield line(share, ranking, multiple, *cost, f"{row['speed_up']:.2f}", *top1s)
        runs.append((f"{ranking}, {multiple}, {share}", Provenance.from_dict(row["made"])))
    yield ""
    yield f"{found['conditions']}."
    yield ""
    yield from _commands(runs)


def supernets() -> Iterator[str]:
    """What supernets reach along their ranking, without further training."""
    rows = read_json(SUPERNETS)
    shares = list(rows[0]["top1"])
    yield from header(
        "", *(f"{100 * float(share):g} %" for share in shares), "original", "minutes", "cost", "off the line"
    )
    for row in rows:
        off = row["off_the_line"]
        wide = f"{100 * off['mean']:.2f}, at most {100 * off['most']:.2f}" if off else ""
        top1s = (f"{100 * row['top1'][share]:.2f}" if share in row["top1"] else "" for share in shares)
        cost = f"{row['cost']:.0f}" if "cost" in row else ""
        minutes = "" if row["seconds"] is None else f"{row['seconds'] / 60:.0f}"
        yield line(row["label"], *top1s, f"{100 * row['original']:.2f}", minutes, cost, wide)
    yield ""
    yield from _commands([(row["label"], Provenance.from_dict(row["made"])) for row in rows])


def tuning(table: str) -> Iterator[str]:
    """The finished rows of one of `benchmarks.tuning`; figures are means over the seeds."""
    every = rows_of(table)
    rows = {name: every[name] for name in TABLES[table] if name in every}
    if not rows:
        return
    asked = next((row.among for row in TABLES[table].values() if row.among), ())
    further = [f"after, among {', '.join(asked)}"] if asked else []
    yield from header("", "MACs, %", "original", "before", "after", "to the original", *further, "seeds")
    for name, seeds in rows.items():
        runs = list(seeds.values())
        original, before, after = (100 * fmean(run[key] for run in runs) for key in ("original", "top1_before", "top1"))
        tops = sorted(100 * run["top1"] for run in runs)
        spread = f" ({tops[0]:.2f} to {tops[-1]:.2f})" if len(runs) > 1 else ""
        macs = f"{100 * runs[0]['macs_fraction']:.1f}"
        figures = [f"{original:.2f}", f"{before:.2f}", f"{after:.2f}{spread}", f"{after - original:+.2f}"]
        figures += [f"{100 * fmean(run['among'] for run in runs):.2f}"] if asked else []
        yield line(name, macs, *figures, ", ".join(sorted(seeds)))
    yield ""
    yield from _commands(
        [(name, Provenance.from_dict(run["made"])) for name, seeds in rows.items() for run in seeds.values()]
    )


def speed() -> Iterator[str]:
    """Images a second of the training loops."""
    speeds = read_json(SPEED)
    ways = list(next(iter(speeds["images_per_second"].values())))
    yield from header("ResNet-56", *ways, "later runs / plain taught")
    for name, row in speeds["images_per_second"].items():
        yield line(name, *(f"{row[way]:,.0f}" for way in ways), f"{row['later runs'] / row['plain taught']:.2f}")
    yield ""
    yield f"{speeds['machine']}, PyTorch {speeds['torch']}."


BLOCKS: Mapping[str, Callable[[], Iterator[str]]] = {
    "training": training,
    "flagship": flagship,
    "for_milliseconds": for_milliseconds,
    "supernets": supernets,
    "seven": seven_networks.table,
    "sizes": supernet_sizes.table,
    "what_if": what_if.table,
    "speed": speed,
    "device_tables": latency_report.device_tables,
    "eager_tables": latency_report.eager_tables,
    "half": latency_report.half,
    "speed_ups": latency_report.speed_ups,
    **{table: partial(tuning, table) for table in TABLES},
}


def _top1(point: Point | None) -> str:
    return f"{100 * point.top1:.2f}" if point else ""


def _milliseconds(point: Point | None, original: Point) -> str:
    alike = point and point.latency and original.latency and point.latency.conditions == original.latency.conditions
    return f"{point.latency.milliseconds:.2f}" if point and point.latency and alike else ""


def _commands(rows: Sequence[tuple[str, Provenance]]) -> Iterator[str]:
    if not rows:
        return
    yield "<details><summary>Commands, seeds, time and machine</summary>"
    yield ""
    yield from header("row", "command", "seed", "seconds", "machine")
    for name, made in rows:
        seconds = f"{made.seconds:,.0f}" if made.seconds else ""
        yield line(name, f"`{made.command}`", str(made.seed), seconds, made.machine)
    yield ""
    yield "</details>"


if __name__ == "__main__":
    main()
