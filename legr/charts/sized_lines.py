"""What is read of the networks of a ranking with images of another height, along its slider."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from legr.charts.measurements import Measurements, Reading, reading


@dataclass(frozen=True, slots=True)
class SizedLines:
    """Measured values of the networks of a ranking with images of one height.

    All are by the MACs of the same kept set with the study's own images: by these a budget is known.

    Attributes:
        latencies: milliseconds.
        cut: top-1 in [0, 1] with the weights of the original.
        shared: the same with weights that were trained together with those of all budgets.
    """

    latencies: Mapping[int, float]
    cut: Mapping[int, float]
    shared: Mapping[int, float]

    def latency(self, macs: int) -> Reading | None:
        """Milliseconds at some MACs."""
        return reading(self.latencies, macs)

    def as_cut(self, macs: int) -> Reading | None:
        """Top-1 at some MACs, not trained."""
        return reading(self.cut, macs)

    def together(self, macs: int) -> Reading | None:
        """Top-1 at some MACs, trained together with all budgets."""
        found = reading(self.shared, macs)
        return replace(found, together=True) if found else None


def sized_lines(measured: Measurements, ranking: str, height: int, whole_macs: int) -> SizedLines:
    """The lines of a ranking's networks with images of a height.

    Args:
        whole_macs: MACs of the original with the study's own images.
    """
    sized = [network for network in measured.sized if (network.ranking, network.height) == (ranking, height)]
    macs_of = {network: round(network.macs_fraction * whole_macs) for network in sized}
    return SizedLines(
        {macs_of[one]: found.value for one in sized if (found := measured.latency_with_size(one))},
        {macs_of[network]: network.top1 for network in sized if not network.supernet},
        {macs_of[network]: network.top1 for network in sized if network.supernet},
    )
