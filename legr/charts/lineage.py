"""Where the networks of a study came from: original, ranking, budget, training, exports, as a tree. No torch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from legr.charts.measurements import Measurements
from legr.charts.style import CAPTIONS
from legr.charts.training import training_description
from legr.study.known import KnownNetwork
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study
from legr.study.supernets import SupernetRun, points_by_network, supernets
from legr.words import plural

Kind = Literal["original", "ranking", "network", "run", "supernet", "export"]
KINDS: tuple[Kind, ...] = ("original", "ranking", "network", "run", "supernet", "export")
COLUMNS = ("Original", "Ranking", "Budget", "Trained", "Exported")
_COLUMN: dict[Kind, int] = {"original": 0, "ranking": 1, "network": 2, "run": 3, "supernet": 3, "export": 4}
ROOT = "original"


@dataclass(frozen=True, slots=True)
class ExportedNetwork:
    """A finished export.

    Attributes:
        key: of the job that made it.
        keep_id: the kept set; "" where it was exported by the key of a run.
        run: key of the run whose weights it has; "": those of the original.
        when: day, such as "2026-11-30"; "": not noted.
        ranking: that it was pruned by; None: the study's default one.
    """

    key: str
    keep_id: str
    run: str
    title: str
    when: str
    ranking: RankingName | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """A box of the map: what a network came from, or a network itself.

    Attributes:
        key: of no other in the tree; it begins with the kind.
        parent: key of the box that it came from; "" for the original.
        title: what it is called.
        told: further facts, in words.
        top1: of the network, or the best of its networks, in [0, 1]; None: not measured, or none of its own.
        today: whether today's rankings lead to it.
        row: place among all, from the top, in rows; a box stands in the middle of those that came from it.
        name: that the user gave it.
    """

    key: str
    kind: Kind
    parent: str
    title: str
    told: str = ""
    top1: float | None = None
    today: bool = True
    row: float = 0.0
    name: str = ""

    @property
    def column(self) -> int:
        """Place in `COLUMNS`."""
        return _COLUMN[self.kind]


def lineage(study: Study, measured: Measurements, exports: Sequence[ExportedNetwork]) -> list[Origin]:
    """Every network that was trained or exported, with what it came from before it.

    Args:
        exports: finished ones, newest first.
    """
    original = measured.original
    root = Origin(ROOT, "original", "", CAPTIONS["original"], study.info.model, original.top1 if original else None)
    origins: dict[str, Origin] = {ROOT: root}
    order = sorted(measured.runs, key=lambda run: (-run.macs_fraction, run.created))
    for run in order:
        ranking = _ranking(origins, measured.order_of(run), run.ranking)
        network = _network(origins, ranking, measured.known.get(run.keep_id), run)
        origins[f"run:{run.key}"] = _of_run(run, network)
    for supernet in supernets(study):
        names = [name for name in study.rankings if name == supernet.ranking]
        is_today = any(study.ranking_id(name) == supernet.ranking_id for name in names)
        ranking = _ranking(origins, supernet.ranking if is_today else None, supernet.ranking)
        origins[f"supernet:{supernet.key}"] = _of_supernet(supernet, ranking, study.info.input_shape[1])
    for export in exports:
        parent = _parent_of(origins, measured, export, study.default_ranking)
        told = "; ".join(filter(None, (export.when, _timed(measured, export))))
        origins[f"export:{export.key}"] = Origin(
            f"export:{export.key}", "export", parent.key, export.title, told, today=parent.today
        )
    return _placed(list(origins.values()))


def _ranking(origins: dict[str, Origin], today: RankingName | None, name: str) -> Origin:
    """The ranking that led to a network; one of before stands apart.

    Args:
        today: the ranking that leads there today; None: none does.
    """
    key = f"ranking:{today or f'{name}:before'}"
    if key not in origins:
        caption = CAPTIONS.get(today or name, "Ranking")
        told = "" if today else "as it was before the ranking or the constraints changed"
        origins[key] = Origin(key, "ranking", ROOT, caption if today else f"{caption}, before", told, today=bool(today))
    return origins[key]


def _network(origins: dict[str, Origin], ranking: Origin, known: KnownNetwork | None, run: FineTuned) -> Origin:
    key = f"network:{run.keep_id}"
    if key not in origins:
        title = f"{100 * run.macs_fraction:.1f} % of the MACs"
        top1 = known.top1_before if known else None
        origins[key] = Origin(key, "network", ranking.key, title, "as cut", top1, ranking.today)
    return origins[key]


def _of_run(run: FineTuned, network: Origin) -> Origin:
    title = run.name or f"Fine-tuned: {training_description(run)}"
    told = f"{run.created[:10]}{f', {run.provenance.machine}' if run.provenance.machine else ''}"
    return Origin(f"run:{run.key}", "run", network.key, title, told, run.top1, network.today, name=run.name)


def _of_supernet(run: SupernetRun, ranking: Origin, side: int) -> Origin:
    points = [point for point in points_by_network(run, side).values() if point.macs_fraction < 1] or list(run.points)
    low, high = min(points, key=lambda p: p.top1), max(points, key=lambda p: p.top1)
    title = run.name or f"Trained together, {plural(run.epochs, 'epoch')}"
    told = (
        f"{100 * high.top1:.1f} % at {100 * high.macs_fraction:.0f} % of the MACs to {100 * low.top1:.1f} % at "
        f"{100 * low.macs_fraction:.0f} %; {run.created[:10]}"
    )
    return Origin(f"supernet:{run.key}", "supernet", ranking.key, title, told, high.top1, ranking.today, name=run.name)


def _parent_of(
    origins: dict[str, Origin], measured: Measurements, export: ExportedNetwork, default: RankingName
) -> Origin:
    """What was exported: the networks of a run, a network as cut, else the original."""
    for key in (f"run:{export.run}", f"supernet:{export.run}", f"network:{export.keep_id}"):
        if key in origins:
            return origins[key]
    known = measured.known.get(export.keep_id)
    if not export.keep_id or (known and known.macs_fraction == 1):
        return origins[ROOT]
    name = export.ranking or default
    is_today = known is None or any(point in measured.points for point in known.pruned)
    ranking, key = _ranking(origins, name if is_today else None, name), f"network:{export.keep_id}"
    title = f"{100 * known.macs_fraction:.1f} % of the MACs" if known else export.title
    top1 = known.top1_before if known else None
    origins[key] = Origin(key, "network", ranking.key, title, "as cut", top1, ranking.today)
    return origins[key]


def _timed(measured: Measurements, export: ExportedNetwork) -> str:
    """The devices that an exported network was timed on, with its latency on each: "1.2 ms on AMD EPYC"; "" if none."""
    keep_id = export.keep_id or next((run.keep_id for run in measured.runs if run.key == export.run), "")
    known = measured.known.get(keep_id)
    points = (*known.pruned, *known.finetuned) if known else ()
    latencies = [*(point.latency for point in points if point.latency), *measured.own_latencies.get(keep_id, ())]
    latest = {latency.conditions.machine or latency.conditions.device: latency.milliseconds for latency in latencies}
    return ", ".join(f"{ms:.3g} ms on {device}" for device, ms in latest.items())


def _placed(origins: Sequence[Origin]) -> list[Origin]:
    """The boxes with their rows: each in the middle of those that came from it, no two of a column in one row."""
    following: dict[str, list[Origin]] = {}
    for origin in origins:
        following.setdefault(origin.parent, []).append(origin)
    placed: list[Origin] = []
    n_rows = 0

    def place(origin: Origin) -> float:
        nonlocal n_rows
        index = len(placed)
        placed.append(origin)
        rows = [place(child) for child in _in_order(following.get(origin.key, ()))]
        if not rows:
            rows, n_rows = [float(n_rows)], n_rows + 1
        row = (rows[0] + rows[-1]) / 2
        placed[index] = replace(origin, row=row)
        return row

    for origin in following.get("", ()):
        place(origin)
    return placed


def _in_order(origins: Iterable[Origin]) -> list[Origin]:
    """Of today first; among them as they came."""
    return sorted(origins, key=lambda origin: not origin.today)
