"""Images of other heights in the dial: which can be chosen, and the table of the networks that take them."""

from app import state
from app.budget_dial.table import FigureColumn, Figures, budget_stops, table_of_networks, within_table
from app.budget_dial.types import TableData
from app.curves import measurements, structures_with_sizes
from legr.charts.measurements import Measurements
from legr.charts.sized_lines import sized_lines
from legr.ranking.budget import BudgetCurve
from legr.structure.cost import totals
from legr.structure.types import Structure
from legr.study.records import RankingName
from legr.study.store import Study


def heights_of(study: Study, ranking: RankingName) -> list[int]:
    """Heights of images with which networks of a ranking were measured, the largest first; the study's own is one."""
    own = study.info.input_shape[1]
    measured = {network.height for network in measurements(study).sized if network.ranking == ranking}
    return [height for height in structures_with_sizes(study) if height in measured | {own}]


def measured_heights(study: Study) -> tuple[int, ...]:
    """Heights of images that networks of the study were measured with, the largest first; () where none but its own."""
    others = {network.height for network in measurements(study).sized}
    return tuple(sorted({study.info.input_shape[1], *others}, reverse=True)) if others else ()


def chosen_height(study: Study, ranking: RankingName) -> int:
    """The height that is chosen in the dial; the study's own where none is, or one that is not offered."""
    own = study.info.input_shape[1]
    return int(state.view("size", [str(height) for height in (own, *heights_of(study, ranking))]))


def remember_height(study: Study, value: object) -> None:
    """Remember the chosen height, pixels; the study's own, and what is none, forgets it."""
    is_other = type(value) is int and value != study.info.input_shape[1]
    state.remember_view("size", str(value) if is_other else "")


def sized_table(
    curve: BudgetCurve,
    structure: Structure,
    ranking: RankingName,
    measured: Measurements,
    height: int,
    *,
    start: float,
    compared: float | None = None,
) -> TableData:
    """Tabulate the networks of a ranking with images of another height; see `dial_table`.

    MACs are counted. Accuracy and latency were measured with such images, or lie between two networks that were:
    fine-tuned weights and profiles are of the study's own images.

    Args:
        structure: with the MACs of such images.
        start: fraction of the original's MACs at which the slider begins, as with the study's own images.
        compared: per cent of them; a budget to compare with, which becomes a stop.
    """
    sized = [network for network in measured.sized if (network.ranking, network.height) == (ranking, height)]
    fractions = [*(network.macs_fraction for network in sized), *([] if compared is None else [compared / 100])]
    start = within_table(curve, start)
    stops = budget_stops(curve, fractions, start)
    networks = curve.table([percent / 100 for percent in stops.values()])
    own = [int(n) for n in networks.macs]  # with the study's own images, by which a kept set of the curve is known
    lines = sized_lines(measured, ranking, height, curve.original.macs)
    figures = Figures(
        *(FigureColumn.of(list(map(read, own))) for read in (lines.latency, lines.as_cut, lines.together))
    )
    table = table_of_networks(structure, networks, list(stops.values()), figures, measured)
    table["macs"], table["own_macs"] = totals(structure, networks.counts)[0].tolist(), own
    table["start"] = list(stops).index(curve.step(macs=start / 100))
    return table


def sized_line(measured: Measurements, ranking: RankingName, height: int) -> str:
    """Where the figures of networks with images of another height come from, in one line."""
    sized = [network for network in measured.sized if (network.ranking, network.height) == (ranking, height)]
    timed = [network for network in sized if measured.latency_with_size(network)]
    latency = f" and latency ({measured.conditions})" if timed else ""
    return (
        f"Images are scaled to a height of {height} pixels. Accuracy{latency} with them was measured of {len(sized)} "
        f"networks of this ranking; ~: read between two of them. Shares of the MACs are those of the original with "
        f"images of {measured.height} pixels, as everywhere. "
        f"Fine-tuned weights are for images of {measured.height} pixels."
    )
