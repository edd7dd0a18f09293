"""What is known of networks with images of other heights, by kept set, weights and height. No torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from legr.study.latency import Conditions, Latency
from legr.study.records import RankingName
from legr.study.scaled import ScaledPoint, scaled_points
from legr.study.store import Study
from legr.study.supernets import SupernetPoint, SupernetRun, supernet_of
from legr.training.calibration import PLAIN


@dataclass(frozen=True, slots=True)
class SizedNetwork:
    """One network of a ranking of today with images of one height.

    Attributes:
        height: of the images, pixels.
        supernet: key of the one whose weights it has; "": those of the original, pruned.
        macs: for one image of this height.
        macs_fraction: of the kept set, with images of the study's own height: the budget that leads to it.
        top1: on the test images, in [0, 1].
        images: that it was scored on.
        latencies: of one forward pass with images of this height, the latest of each set of conditions.
        recalibrated, calibration: as of a point.
    """

    ranking: RankingName
    keep_id: str
    height: int
    supernet: str
    macs: int
    params: int
    macs_fraction: float
    top1: float
    images: int
    latencies: tuple[Latency, ...] = ()
    ranking_id: str = ""
    recalibrated: bool = True
    calibration: str = PLAIN.key

    def latency(self, conditions: Conditions | None) -> Latency | None:
        """Its latency under these conditions."""
        return next((latency for latency in self.latencies if latency.conditions == conditions), None)


def sized_networks(study: Study) -> list[SizedNetwork]:
    """The networks of today that were measured with images of other heights, the largest images and networks first.

    Of one kept set and height it is the one with weights of the ranking's supernet, where that was measured.
    """
    return [network for network in _all(study) if network.height != study.info.input_shape[1]]


def own_latencies(study: Study) -> Mapping[str, tuple[Latency, ...]]:
    """Latencies of networks of supernets with images of the study's own height, by kept set."""
    own = (network for network in _all(study) if network.height == study.info.input_shape[1])
    return {network.keep_id: network.latencies for network in own if network.latencies}


def _all(study: Study) -> list[SizedNetwork]:
    found: dict[tuple[str, str, int], SizedNetwork] = {}
    for network in (*_of_points(scaled_points(study)), *_of_supernets(study)):
        name = network.ranking, network.keep_id, network.height
        known = found.get(name)
        if known is None or (network.supernet and not known.supernet):
            found[name] = network
    return sorted(found.values(), key=lambda network: (-network.height, -network.macs))


def _of_points(points: list[ScaledPoint]) -> Iterator[SizedNetwork]:
    """One of each network, its accuracy as measured last."""
    networks: dict[tuple[str, str, int, str], SizedNetwork] = {}
    for point in points:
        name = point.ranking, point.keep_id, point.height, point.supernet
        others = networks[name].latencies if name in networks else ()
        others = tuple(latency for latency in others if latency.conditions != point.latency.conditions)
        own = SizedNetwork(*name, point.macs, point.params, point.macs_fraction, point.top1, point.images)
        networks[name] = replace(
            own,
            latencies=(*others, point.latency),
            ranking_id=point.ranking_id,
            recalibrated=point.recalibrated,
            calibration=point.calibration,
        )
    yield from networks.values()


def _of_supernets(study: Study) -> Iterator[SizedNetwork]:
    """Those that supernets were measured at."""
    for ranking in study.rankings:
        run = supernet_of(study, ranking)
        if run is not None and run.calibration == study.calibration.key:
            yield from (_of_supernet(run, point) for point in run.points)


def _of_supernet(run: SupernetRun, point: SupernetPoint) -> SizedNetwork:
    facts = point.macs, point.params, point.macs_fraction, point.top1, point.images
    network = SizedNetwork(run.ranking, point.keep_id, point.side, run.key, *facts)
    return replace(network, ranking_id=run.ranking_id, calibration=run.calibration)
