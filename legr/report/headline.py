"""The headline of a report: the answer in one line. The pages say the same in the browser (`headline.js`).

`tests/report/headlines.json` has cases that tests of both read.
"""

from dataclasses import dataclass

from legr.charts.measurements import Reading
from legr.report.network import ShownNetwork
from legr.report.numbers import about, milliseconds, percent, share


@dataclass(frozen=True, slots=True)
class Smaller:
    """A trained network with fewer MACs that is more accurate than the one of the headline as cut."""

    macs_fraction: float
    top1: float


@dataclass(frozen=True, slots=True)
class Headline:
    """What the headline says of a network beside the original; None: not known.

    Attributes:
        macs_fraction: of the original's.
        trained: top-1 in [0, 1], fine-tuned.
        as_cut: the same, not fine-tuned.
        latency: milliseconds.
        is_whole: it is the original itself.
    """

    macs_fraction: float
    trained: Reading | None
    as_cut: Reading | None
    latency: Reading | None
    original_top1: float | None
    original_ms: float | None
    is_whole: bool = False
    smaller: Smaller | None = None


def headline(network: ShownNetwork) -> str:
    """The answer in one line: "30 % of the work: 92.0 % instead of 93.0 %, 5.0 instead of 7.0 ms"."""
    return headline_of(
        Headline(
            macs_fraction=network.macs_fraction,
            trained=network.trained,
            as_cut=network.as_cut,
            latency=network.latency,
            original_top1=network.original_top1,
            original_ms=network.original_ms,
            is_whole=network.is_whole,
            smaller=_smaller(network),
        )
    )


def _smaller(network: ShownNetwork) -> Smaller | None:
    """The most accurate of the ranking's smaller networks that were trained, if it beats this one as cut."""
    least = network.as_cut.value if network.as_cut else 0.0
    better = [Smaller(share, top1) for share, top1 in network.smaller_trained if top1 >= least]
    return max(better, key=lambda other: other.top1, default=None)


def headline_of(said: Headline) -> str:
    """The sentence; what was read between two measured networks has a "~"."""
    work = "The original, 100 % of the work" if said.is_whole else f"{share(said.macs_fraction)} of the work"
    work = "The original, trained once more" if said.macs_fraction == 1 and not said.is_whole else work
    if not (said.trained or said.as_cut or said.latency):
        return f"{work}: accuracy and latency not measured"
    untrained = ", not trained" if said.as_cut and not (said.trained or said.is_whole) else ""
    return f"{work}{untrained}: {_accuracy(said)}, {_time(said)}"


def _accuracy(said: Headline) -> str:
    top1 = said.trained or said.as_cut
    if top1 is None:
        return "accuracy not measured"
    cut = "" if said.trained or said.is_whole else " as cut"
    own = f"{about(top1)}{percent(top1.value)}{cut}"
    if said.is_whole or said.original_top1 is None:
        return own
    if cut and said.smaller:
        return f"{own} (trained {share(said.smaller.macs_fraction)}: {percent(said.smaller.top1)})"
    other = percent(said.original_top1)
    return f"still {own}" if percent(top1.value) == other else f"{own} instead of {other}"


def _time(said: Headline) -> str:
    if said.latency is None:
        return "latency not measured"
    own = f"{about(said.latency)}{milliseconds(said.latency.value)}"
    if said.is_whole or said.original_ms is None:
        return f"{own} ms"
    other = milliseconds(said.original_ms)
    return f"still {own} ms" if milliseconds(said.latency.value) == other else f"{own} instead of {other} ms"
