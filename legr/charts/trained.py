"""Accuracy after fine-tuning along a ranking: measured, or on the line between two networks that were fine-tuned."""

from collections.abc import Callable, Mapping

from legr.charts.measurements import Measurements, Reading, reading
from legr.ranking.budget import BudgetCurve
from legr.study.kept_sets import on_curve
from legr.study.known import KnownNetwork


def finetuned_top1(
    known: Mapping[int, KnownNetwork], before: Callable[[int], Reading | None]
) -> Callable[[int], Reading | None]:
    """Make a function from MACs to top-1 after fine-tuning.

    Of a network that was fine-tuned it is what was measured then. Between two fine-tuned networks the value lies
    on the line between theirs. Where that line is below the accuracy before fine-tuning there is none: the two runs
    differ in length, and the line says nothing.

    Args:
        known: networks of the curve, by their MACs.
    """
    top1s = {macs: top1 for macs, network in known.items() if (top1 := network.top1_after) is not None}

    def read(macs: int) -> Reading | None:
        after, unchanged = reading(top1s, macs), before(macs)
        if after and unchanged and not after.measured and after.value < unchanged.value:
            return None
        return after

    return read


def known_on(curve: BudgetCurve, measured: Measurements) -> dict[int, KnownNetwork]:
    """The networks of the curve of which something was measured, under whatever ranking, by their MACs."""
    macs = ((round(network.macs_fraction * curve.original.macs), network) for network in measured.known.values())
    return {n: network for n, network in macs if on_curve(curve, n, network.keep_id)}
