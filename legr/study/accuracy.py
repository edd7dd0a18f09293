"""What is known of the accuracy of a network that is handed out, and what it costs not to fine-tune it. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from legr.record import Record
from legr.schema import Share
from legr.study.known import KnownNetwork
from legr.study.records import FineTuned, RankingName
from legr.study.sized import SizedNetwork
from legr.study.supernets import SupernetRun
from legr.study.trained import TrainedRun


@dataclass(frozen=True)
class KnownAccuracy(Record):
    """Top-1 on the test images, in [0, 1]; None where it was not measured.

    Attributes:
        whole: nothing was removed.
        finetuned: the network has fine-tuned weights.
        top1: of the network.
        before: of a fine-tuned network, before it was trained.
        shared: the network has weights that were trained together with those of all budgets; a fine-tuned one began
            with them.
        height: of its images, where they are scaled to another than the study's.
        between: top-1 of the next smaller and larger measured networks with these weights, where its own is not known.
        original: of the whole network.
        nearest: of the fine-tuned network of the same ranking whose cost is nearest, where this one is not fine-tuned.
        nearest_at: cost of that one, as a fraction of the original's MACs.
    """

    whole: bool = False
    finetuned: bool = False
    top1: Share | None = None
    original: Share | None = None
    nearest: Share | None = None
    nearest_at: Share | None = None
    before: Share | None = None
    shared: bool = False
    between: tuple[Share, Share] | None = None
    height: int | None = None

    @property
    def words(self) -> str:
        """One or two sentences."""
        of_original = "" if self.original is None else f", and the original {_percent(self.original)}"
        if self.finetuned:
            begun = " with weights trained together" if self.shared else ""
            earlier = "" if self.before is None else f" ({_percent(self.before)} before{begun})"
            return f"Fine-tuned: {_percent(self.top1 or 0.0)} top-1 on the test images{earlier}{of_original}."
        scaled = "" if self.height is None else f" with images scaled to a height of {self.height}"
        if self.shared:
            return f"Trained together with all budgets: {self._shared_words}{of_original}{scaled}."
        if self.height is not None:
            as_cut = (
                "" if self.top1 is None else f"Not fine-tuned: {_percent(self.top1)} top-1 on the test images{scaled}."
            )
            return as_cut or f"Its accuracy{scaled} was not measured."
        if self.whole:
            return "The whole network." if self.top1 is None else f"The whole network: {_percent(self.top1)} top-1."
        if self.top1 is None:
            known = "Not fine-tuned, and its accuracy was not measured."
        else:
            known = f"Not fine-tuned: {_percent(self.top1)} top-1 on the test images{of_original}."
        if self.nearest is None or self.nearest_at is None:
            return f"{known} Fine-tune it, then export again."
        return (
            f"{known} A network fine-tuned at {100 * self.nearest_at:.0f} % of the MACs has {_percent(self.nearest)}."
        )

    @property
    def _shared_words(self) -> str:
        if self.top1 is not None:
            return f"{_percent(self.top1)} top-1 on the test images"
        if self.between is None:
            return "its top-1 was not measured"
        low, high = map(_percent, sorted(self.between))
        return f"its top-1 was not measured, and those of the measured networks around it are {low} and {high}"


def accuracy_of(
    known: Mapping[str, KnownNetwork], keep_id: str, macs_fraction: float, run: TrainedRun | None, ranking: RankingName
) -> KnownAccuracy:
    """What is known of a network.

    Args:
        known: all that was measured in its study (`known_networks`).
        keep_id: its kept set.
        macs_fraction: its cost, as a fraction of the original's.
        run: whose trained weights it has; None: those of the original.
        ranking: that led to it.
    """
    whole = next((network for network in known.values() if network.macs_fraction == 1), None)
    original = whole.top1_before if whole else None
    if isinstance(run, SupernetRun):
        return _of_supernet(run, keep_id, macs_fraction, original)
    if run is not None:
        return KnownAccuracy(
            finetuned=True, top1=run.top1, original=original, before=run.top1_before, shared=bool(run.supernet)
        )
    if macs_fraction == 1:
        return KnownAccuracy(whole=True, top1=original, original=original)
    trained = [network for network in known.values() if _is_trained(network, ranking)]
    nearest = min(trained, key=lambda network: abs(network.macs_fraction - macs_fraction), default=None)
    return KnownAccuracy(
        top1=known[keep_id].top1_before if keep_id in known else None,
        original=original,
        nearest=nearest.top1_after if nearest else None,
        nearest_at=nearest.macs_fraction if nearest else None,
    )


def accuracy_at_height(
    sized: Sequence[SizedNetwork], keep_id: str, macs_fraction: float, run: TrainedRun | None, height: int
) -> KnownAccuracy:
    """What is known of a network with images of another height than the study's; arguments as for `accuracy_of`.

    Args:
        sized: what was measured of the study with images of other heights.
    """
    if isinstance(run, FineTuned):
        return KnownAccuracy(height=height)  # as it has weights of its own
    name = keep_id, height, run.key if run else ""
    top1 = next((one.top1 for one in sized if (one.keep_id, one.height, one.supernet) == name), None)
    if run is None:
        return KnownAccuracy(top1=top1, height=height)
    known = _of_supernet(run, keep_id, macs_fraction, None, height)
    return known if top1 is None else replace(known, top1=top1, between=None)


def _of_supernet(
    run: SupernetRun, keep_id: str, macs_fraction: float, original: float | None, height: int | None = None
) -> KnownAccuracy:
    side = height or run.points[0].side
    points = [point for point in run.points if point.side == side]
    top1 = next((point.top1 for point in points if point.keep_id == keep_id), None)
    smaller = max((p for p in points if p.macs_fraction < macs_fraction), key=lambda p: p.macs_fraction, default=None)
    larger = min((p for p in points if p.macs_fraction > macs_fraction), key=lambda p: p.macs_fraction, default=None)
    between = (smaller.top1, larger.top1) if top1 is None and smaller and larger else None
    return KnownAccuracy(shared=True, top1=top1, original=original, between=between, height=height)


_OLDEST: tuple[RankingName, ...] = ("learned", "identity")


def _is_trained(network: KnownNetwork, ranking: RankingName) -> bool:
    """Whether it was fine-tuned as a network of a ranking; what noted none is older than runs of some."""
    rankings = {*(run.ranking for run in network.runs), *(point.ranking for point in network.finetuned)}
    return bool(rankings & ({ranking, ""} if ranking in _OLDEST else {ranking}))


def _percent(top1: float) -> str:
    return f"{100 * top1:.1f} %"
