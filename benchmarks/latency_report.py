"""The tables of docs/latency.md and docs/latency-tables.md, from `benchmarks/results/`."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.markdown import header, line
from legr.files import read_json

_DOCS = Path(__file__).resolve().parents[1] / "docs"
DOCUMENTS = (_DOCS / "latency.md", _DOCS / "latency-tables.md")
_RESULTS = Path(__file__).parent / "results"
TABLES, SPEED_UPS = _RESULTS / "device-tables.json", _RESULTS / "latency.json"
_BY = {"macs": "MACs", "latency": "milliseconds"}
_WAYS = {
    (1, False): "as it comes",
    (8, False): "8",
    (16, False): "16",
    (8, True): "8, blocks",
    (16, True): "16, blocks",
}
_HALF = "0.5"


def device_tables() -> Iterator[str]:
    """How well profiles of ONNX Runtime predict networks that they were not fitted to."""
    yield from _tables("ONNX Runtime")


def eager_tables() -> Iterator[str]:
    """The same in PyTorch."""
    yield from _tables("PyTorch")


def _tables(runtime: str) -> Iterator[str]:
    multiples = "half the MACs as it comes, in multiples of 4, 8, 16"
    columns = ("network", "kinds of layers", "times", "seconds", "median error", "95th percentile", multiples)
    yield from header("processor", *columns)
    for row in read_json(TABLES):
        if not row["conditions"].startswith(runtime):
            continue
        errors = (f"{100 * row[name]:.1f} %" for name in ("median", "p95"))
        rounded = ", ".join(f"{milliseconds:.2f}" for milliseconds in row["multiples"].values())
        facts = row["network"], row["kinds"], row["points"], f"{row['seconds']:.0f}", *errors, f"{rounded} ms"
        yield line(_processor(row["conditions"]), *facts)


def half() -> Iterator[str]:
    """How many times faster than the original the networks of each order are, at half the MACs and half the time."""
    for by, words in _BY.items():
        yield from header(f"at half the {words}", "order", *_WAYS.values())
        for result in read_json(SPEED_UPS):
            network = f"{result['network']}, {_processor(result['conditions'])}, {result['original_ms']:.2f} ms"
            rows = [row for row in result["rows"] if row["by"] == by]
            for order in dict.fromkeys(row["order"] for row in rows):
                ways = {(row["multiple"], row["blocks"]): row["speed_up"] for row in rows if row["order"] == order}
                yield line(network, order, *(_speed_up(ways.get(way, {}), _HALF) for way in _WAYS))
                network = ""  # said once
        yield ""


def speed_ups() -> Iterator[str]:
    """How many times faster than the original the networks of each order are."""
    for result in read_json(SPEED_UPS):
        yield f"## {result['network']}, {_processor(result['conditions'])}"
        yield ""
        yield f"{result['original_ms']:.2f} ms ({result['conditions']})"
        yield ""
        for by, words in _BY.items():
            rows = [row for row in result["rows"] if row["by"] == by]
            shares = list(dict.fromkeys(share for row in rows for share in row["speed_up"]))
            yield from header(
                f"at a share of the {words}", "multiple", "blocks", *(f"{100 * float(share):g} %" for share in shares)
            )
            for row in rows:
                cells = (_speed_up(row["speed_up"], share) for share in shares)
                yield line(row["order"], row["multiple"], "yes" if row["blocks"] else "no", *cells)
            yield ""


def _speed_up(row: Mapping[str, float], share: str) -> str:
    return f"{row[share]:.2f}" if share in row else "–"


def _processor(conditions: str) -> str:
    """The processor of conditions in words: runtime, processor, threads, batch."""
    return conditions.split(", ")[1]
