"""Accuracy of the trained networks along a ranking: measured, or on the line between two that were measured."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from legr.charts.measurements import Measurements, Reading, reading
from legr.ranking.budget import BudgetCurve
from legr.study.kept_sets import on_curve
from legr.study.known import KnownNetwork
from legr.study.supernets import OffTheLine, SupernetPoint, SupernetRun, off_the_line, smallest_macs
from legr.study.trained import serves_better

ReadingAt = Callable[[int], Reading | None]  # of the network with these MACs


def trained_top1(
    known: Mapping[int, KnownNetwork], before: ReadingAt, together: ReadingAt, supernet: SupernetRun | None
) -> ReadingAt:
    """Make a function from MACs to top-1 with the weights that the network is handed out with.

    These are the first of `trained_runs`. Where there are none, it is what fine-tuning would reach, see
    `finetuned_top1`.

    Args:
        known, before: as for `finetuned_top1`.
        together: as `together_top1` makes it of the supernet.
    """
    finetuned = finetuned_top1(known, before)

    def read(macs: int) -> Reading | None:
        network = known.get(macs)
        run = network.best_run if network else None
        if network and run and not serves_better(supernet, network.keep_id, run):
            return finetuned(macs)
        return together(macs) or finetuned(macs)

    return read


def finetuned_top1(known: Mapping[int, KnownNetwork], before: ReadingAt) -> ReadingAt:
    """Make a function from MACs to top-1 after fine-tuning.

    Of a network that was fine-tuned it is what was measured then. Between two fine-tuned networks the value lies
    on the line between theirs. It does not reach to the original that was trained once more: nothing was cut from it.
    Where that line is below the accuracy before fine-tuning there is none: the two runs differ in length, and the line
    says nothing.

    Args:
        known: networks of the curve, by their MACs.
        before: top-1 before fine-tuning.
    """
    top1s = {macs: top1 for macs, network in known.items() if (top1 := network.top1_after) is not None}

    cut = {macs: top1 for macs, top1 in top1s.items() if known[macs].macs_fraction < 1}

    def read(macs: int) -> Reading | None:
        after, unchanged = Reading(top1s[macs], True) if macs in top1s else reading(cut, macs), before(macs)
        if after and unchanged and not after.measured and after.value < unchanged.value:
            return None
        return after

    return read


def together_top1(curve: BudgetCurve, supernet: SupernetRun | None) -> ReadingAt:
    """Make a function from MACs to top-1 with the weights of a supernet of the ranking.

    It is measured at the networks of its points, and lies between those of two of them elsewhere. There is none of the
    whole network, which keeps its own weights, and of networks that are smaller than any it has trained.

    Args:
        supernet: with points for inputs of one size; None: there is no such function.
    """
    if supernet is None:
        return lambda macs: None
    whole = curve.original.macs
    least = smallest_macs(supernet, whole)
    top1s = {p.macs: p.top1 for p in _on(curve, supernet.points)}

    def read(macs: int) -> Reading | None:
        found = reading(top1s, macs) if least <= macs < whole else None
        return replace(found, together=True) if found else None

    return read


def together_off(curve: BudgetCurve, supernet: SupernetRun | None) -> OffTheLine | None:
    """How far networks between the measured ones lie from what `together_top1` reads; None where that is not known."""
    if supernet is None:
        return None
    return off_the_line(_on(curve, supernet.points), _on(curve, supernet.between))


def _on(curve: BudgetCurve, points: Iterable[SupernetPoint]) -> list[SupernetPoint]:
    return [point for point in points if on_curve(curve, point.macs, point.keep_id)]


def known_on(curve: BudgetCurve, measured: Measurements) -> dict[int, KnownNetwork]:
    """The networks of the curve of which something was measured, under whatever ranking, by their MACs."""
    macs = ((round(network.macs_fraction * curve.original.macs), network) for network in measured.known.values())
    return {n: network for n, network in macs if on_curve(curve, n, network.keep_id)}
