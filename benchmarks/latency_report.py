"""The tables of docs/latency.md, from `benchmarks/results/`."""

from collections.abc import Iterator
from pathlib import Path

from legr.files import read_json

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "latency.md"
_RESULTS = Path(__file__).parent / "results"
TABLES, SPEED_UPS = _RESULTS / "device-tables.json", _RESULTS / "latency.json"
_BY = {"macs": "MACs", "latency": "milliseconds"}


def device_tables() -> Iterator[str]:
    """How well profiles predict networks that they were not fitted to."""
    rows = read_json(TABLES)
    multiples = "half the MACs as it comes, in multiples of 4, 8, 16"
    yield from _header("network", "kinds of layers", "times", "seconds", "median error", "95th percentile", multiples)
    for row in rows:
        errors = (f"{100 * row[name]:.1f} %" for name in ("median", "p95"))
        rounded = ", ".join(f"{milliseconds:.2f}" for milliseconds in row["multiples"].values())
        yield _cells(row["network"], row["kinds"], row["points"], f"{row['seconds']:.0f}", *errors, f"{rounded} ms")
    yield ""
    yield f"{'; '.join(dict.fromkeys(row['conditions'] for row in rows))}."


def speed_ups() -> Iterator[str]:
    """How many times faster than the original the networks of each order are."""
    for result in read_json(SPEED_UPS):
        yield f"**{result['network']}**, {result['original_ms']:.2f} ms ({result['conditions']})"
        yield ""
        for by, words in _BY.items():
            rows = [row for row in result["rows"] if row["by"] == by]
            shares = list(dict.fromkeys(share for row in rows for share in row["speed_up"]))
            yield from _header(
                f"at a share of the {words}", "multiple", "blocks", *(f"{100 * float(share):g} %" for share in shares)
            )
            for row in rows:
                cells = (f"{row['speed_up'][share]:.2f}" if share in row["speed_up"] else "–" for share in shares)
                yield _cells(row["order"], row["multiple"], "yes" if row["blocks"] else "no", *cells)
            yield ""


def _header(*names: str) -> Iterator[str]:
    yield _cells(*names)
    yield "|---" * len(names) + "|"


def _cells(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
