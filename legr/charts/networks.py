"""Every measured network of a study as one table: a row for each network and each condition that it was timed under."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from legr.charts.measurements import ORIGINAL, Measurements
from legr.study.known import KnownNetwork
from legr.study.latency import Conditions, Latency
from legr.study.records import RANKINGS, Point, RankingName
from legr.study.sized import SizedNetwork
from legr.study.store import Study
from legr.study.supernets import SupernetPoint, SupernetRun
from legr.training.calibration import PLAIN

_BYTES = 4  # of a parameter, in float32
_CONDITIONS = ("contended", "unsteady", "machine", "device", "runtime", "threads", "batch")


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """A row of `networks_table`: one network under one set of conditions. None where something was not measured.

    Attributes:
        network: its kept set; "" where an earlier version measured it.
        ranking: the rankings that it was measured under, or "original".
        today: whether one of these still leads to it, under the constraints of today.
        size_mb: megabytes (1e6 bytes) of float32 weights.
        top1_as_cut: on the test images, in [0, 1], not fine-tuned.
        top1_trained: the same, fine-tuned: of the run that is best on held-out images.
        calibration: what its batch norms were recalibrated on; "" where they have the statistics of the weights.
        top1_together: the same, with the weights of the supernet of a ranking as it is today.
        run: key of the fine-tuning run.
        runs: how many runs there are of this network.
        supernet: key of that supernet.
        height: of the images that all of it is of, pixels; where it is not the study's own, `macs_fraction` is of the
            kept set with the study's own images: the budget that leads to it.
    """

    study: str
    model: str
    network: str
    ranking: str
    ranking_id: str
    today: bool
    macs: int
    macs_fraction: float
    params: int
    size_mb: float
    latency_ms: float | None = None
    latency_first_quartile_ms: float | None = None
    latency_third_quartile_ms: float | None = None
    contended: bool | None = None
    unsteady: bool | None = None
    machine: str | None = None
    device: str | None = None
    runtime: str | None = None
    threads: int | None = None
    batch: int | None = None
    top1_as_cut: float | None = None
    top1_trained: float | None = None
    images: int | None = None
    recalibrated: bool | None = None
    calibration: str | None = None
    run: str | None = None
    runs: int = 0
    epochs: int | None = None
    seed: int | None = None
    top1_together: float | None = None
    supernet: str | None = None
    height: int | None = None


COLUMNS = tuple(NetworkRow.__slots__)
_COUNTS = ("threads", "batch", "images", "epochs", "seed", "height")  # whole numbers, some of which are not known


def networks_table(study: Study, measured: Measurements) -> pd.DataFrame:
    """Every measured network, by rising MACs; the original comes last.

    Returns:
        The columns of `NetworkRow`.
    """
    groups: dict[tuple[object, ...], list[Point]] = {}
    for point in (*measured.earlier, *measured.points):
        alone = (point.ranking, point.ranking_id, point.macs, point.params)  # of an earlier version: no kept set
        groups.setdefault((point.keep_id,) if point.keep_id else alone, []).append(point)
    today = {id(point) for point in measured.points if measured.order_of(point) or not point.finetuned}
    shared = _shared(measured)
    rows = [
        row
        for points in groups.values()
        for row in _rows(study, measured.known.get(points[0].keep_id), points, today, shared.get(points[0].keep_id))
    ]
    for keep, network in shared.items():
        if (keep,) not in groups:
            rows += _with_latencies(_of_supernet(study, network), measured.own_latencies.get(keep, ()))
    rows = [replace(row, height=measured.height) for row in rows]
    rows += [row for network in measured.sized for row in _of_size(study, network)]
    rows.sort(key=lambda row: (row.macs, row.ranking == ORIGINAL, row.ranking, row.network, row.machine or ""))
    cells = [[getattr(row, name) for name in COLUMNS] for row in rows]
    return pd.DataFrame(cells, columns=list(COLUMNS)).astype(dict.fromkeys(_COUNTS, "Int64"))


@dataclass(frozen=True, slots=True)
class _Shared:
    """A network of the supernet of a ranking."""

    ranking: RankingName
    supernet: SupernetRun
    point: SupernetPoint


def _shared(measured: Measurements) -> dict[str, _Shared]:
    """The networks of today's supernets by kept set; the whole one keeps its own weights."""
    found: dict[str, _Shared] = {}
    for name in RANKINGS:
        supernet = measured.supernets.get(name)
        for point in supernet.points if supernet else ():
            if point.macs_fraction < 1 and supernet:
                found.setdefault(point.keep_id, _Shared(name, supernet, point))
    return found


def _of_supernet(study: Study, network: _Shared) -> NetworkRow:
    """The row of a network that was measured with the weights of a supernet alone."""
    point = network.point
    return NetworkRow(
        study=study.path.name,
        model=study.info.model,
        network=point.keep_id,
        ranking=network.ranking,
        ranking_id=network.supernet.ranking_id,
        today=True,
        macs=point.macs,
        macs_fraction=round(point.macs_fraction, 6),
        params=point.params,
        size_mb=round(_BYTES * point.params / 1e6, 6),
        images=point.images,
        recalibrated=True,
        calibration=network.supernet.calibration,
        top1_together=_rounded(point.top1),
        supernet=network.supernet.key,
    )


def _of_size(study: Study, network: SizedNetwork) -> list[NetworkRow]:
    """The rows of a network with images of another height."""
    top1 = _rounded(network.top1)
    row = NetworkRow(
        study=study.path.name,
        model=study.info.model,
        network=network.keep_id,
        ranking=network.ranking,
        ranking_id=network.ranking_id,
        today=True,
        macs=network.macs,
        macs_fraction=round(network.macs_fraction, 6),
        params=network.params,
        size_mb=round(_BYTES * network.params / 1e6, 6),
        top1_as_cut=None if network.supernet else top1,
        images=network.images,
        recalibrated=network.recalibrated,
        calibration=network.calibration if network.recalibrated else "",
        top1_together=top1 if network.supernet else None,
        supernet=network.supernet or None,
        height=network.height,
    )
    return _with_latencies(row, network.latencies)


def _with_latencies(row: NetworkRow, latencies: Sequence[Latency]) -> list[NetworkRow]:
    """A row for each set of conditions; the row itself where the network was not timed."""
    return [replace(row, **_latency_cells(latency)) for latency in latencies] or [row]


def _latency_cells(latency: Latency) -> dict[str, Any]:
    """The cells of a row that are of a latency."""
    first, third = latency.quartiles or (None, None)
    return {
        "latency_ms": _four_digits(latency.milliseconds),
        "latency_first_quartile_ms": None if first is None else _four_digits(first),
        "latency_third_quartile_ms": None if third is None else _four_digits(third),
        **{name: getattr(latency, name) for name in _CONDITIONS},
    }


def _rows(
    study: Study, known: KnownNetwork | None, points: Sequence[Point], today: set[int], shared: _Shared | None
) -> list[NetworkRow]:
    """The rows of one network, one for each of its conditions; one without, where it was not timed."""
    pruned, tuned = [p for p in points if not p.finetuned], [p for p in points if p.finetuned]
    first = min(reversed(pruned or tuned), key=lambda p: (*RANKINGS, ORIGINAL).index(p.ranking))
    as_cut = pruned[-1].top1 if pruned else known.top1_before if known else None
    trained = known.top1_after if known else tuned[-1].top1 if tuned else None
    best = known.best_run if known else None
    training = next((p.finetuned for p in reversed(tuned) if best is None or _key(p) == best.key), None)
    settings = best.settings if best else training.settings if training else None
    row = NetworkRow(
        study=study.path.name,
        model=study.info.model,
        network=first.keep_id,
        ranking=_rankings(points),
        ranking_id=first.ranking_id,
        today=any(id(point) in today for point in points),
        macs=first.macs,
        macs_fraction=round(first.macs_fraction, 6),
        params=first.params,
        size_mb=round(_BYTES * first.params / 1e6, 6),
        top1_as_cut=_rounded(as_cut),
        top1_trained=_rounded(trained),
        images=first.images,
        recalibrated=pruned[-1].recalibrated if pruned else None,
        calibration=(pruned[-1].calibration or PLAIN.key) if pruned and pruned[-1].recalibrated else "",
        run=best.key if best else training.key if training else None,
        runs=max(len(known.runs) if known else 0, len({_key(p) for p in tuned})),
        epochs=best.epochs if best else training.epochs if training else None,
        seed=settings.seed if settings else None,
        top1_together=_rounded(shared.point.top1) if shared else None,
        supernet=shared.supernet.key if shared else None,
    )
    return _with_latencies(row, _latencies(points))


def _key(point: Point) -> str:
    return point.finetuned.key if point.finetuned else ""


def _rankings(points: Sequence[Point]) -> str:
    names = {point.ranking for point in points}
    return ORIGINAL if ORIGINAL in names else " ".join(name for name in RANKINGS if name in names)


def _latencies(points: Sequence[Point]) -> list[Latency]:
    """The latest latency under each set of conditions; fine-tuning changes no shape, so it does not matter which."""
    latest: dict[Conditions, Latency] = {}
    for point in points:
        if point.latency:
            latest[point.latency.conditions] = point.latency
    return list(latest.values())


def _four_digits(milliseconds: float) -> float:
    return float(f"{milliseconds:.4g}")


def _rounded(top1: float | None) -> float | None:
    return None if top1 is None else round(top1, 5)
