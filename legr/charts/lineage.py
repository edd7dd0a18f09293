"""Where the networks of a study came from: original, ranking, budget, training, exports, as a tree. No torch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from legr.charts.measurements import Measurements, device_name
from legr.charts.style import CAPTIONS
from legr.charts.training import training_description
from legr.escape import on_one_line
from legr.study.kept_sets import on_curve
from legr.study.known import CurveOf
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study
from legr.study.supernets import SupernetRun, points_by_network, supernets
from legr.words import plural

Kind = Literal["original", "ranking", "network", "run", "supernet", "removed", "export"]
COLUMNS = ("Original", "Ranking", "Budget", "Trained", "Exported")
_COLUMN: dict[Kind, int] = {
    "original": 0,
    "ranking": 1,
    "network": 2,
    "run": 3,
    "supernet": 3,
    "removed": 3,
    "export": 4,
}
ROOT = "original"


@dataclass(frozen=True, slots=True)
class ExportedNetwork:
    """A finished export.

    Attributes:
        key: of the job that made it.
        keep_id: its kept set.
        run: key of the fine-tuning run or supernet whose weights it has; "": those of the original.
        when: day, such as "2026-11-30"; "": not noted.
        ranking: that it was pruned by.
        macs_fraction: of the kept set, with the study's own images.
        height: of the images that it takes, pixels; None: the study's own.
    """

    key: str
    keep_id: str
    run: str
    title: str
    when: str
    ranking: RankingName
    macs_fraction: float
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """A box of the map: what a network came from, or a network itself.

    Attributes:
        key: of no other in the tree; it begins with the kind.
        parent: key of the box that it came from; "" for the original.
        title: what it is called.
        told: further facts, in words.
        top1: of the network, or the best of its networks, in [0, 1]; None: not measured, or none of its own.
        ranking: of today, that leads to it; None: none does.
        macs_fraction: budget that leads to it there; None: it is no single network.
        run: key of the run or supernet whose weights it has; "": those of the original.
        height: of the images that it takes, pixels; None: the study's own.
        row: place among all, from the top, in rows; a box stands in the middle of those that came from it.
        name: that the user gave it.
    """

    key: str
    kind: Kind
    parent: str
    title: str
    told: str = ""
    top1: float | None = None
    ranking: RankingName | None = None
    macs_fraction: float | None = None
    run: str = ""
    height: int | None = None
    row: float = 0.0
    name: str = ""

    @property
    def column(self) -> int:
        """Place in `COLUMNS`."""
        return _COLUMN[self.kind]

    @property
    def today(self) -> bool:
        """Whether today's rankings lead to it."""
        return self.ranking is not None


def lineage(
    study: Study, measured: Measurements, exports: Sequence[ExportedNetwork], curve_of: CurveOf
) -> list[Origin]:
    """Every network that was trained or exported, with what it came from before it.

    Args:
        exports: finished ones, newest first.
        curve_of: the budget curve of a ranking as it is now.
    """
    return _Tree(study, measured, curve_of).placed(exports)


class _Tree:
    """The boxes as they are found, each behind the one that it came from."""

    def __init__(self, study: Study, measured: Measurements, curve_of: CurveOf) -> None:
        self._study, self._measured, self._curve_of = study, measured, curve_of
        top1 = measured.original.top1 if measured.original else None
        default = study.default_ranking
        root = Origin(ROOT, "original", "", CAPTIONS["original"], study.info.model, top1, default, 1.0)
        self._origins: dict[str, Origin] = {ROOT: root}

    def placed(self, exports: Sequence[ExportedNetwork]) -> list[Origin]:
        """All of them, with their rows."""
        for run in sorted(self._measured.runs, key=lambda run: (-run.macs_fraction, run.created)):
            self._add_run(run)
        for supernet in supernets(self._study):
            self._add_supernet(supernet)
        for export in exports:
            self._add_export(export)
        return _placed(list(self._origins.values()))

    def _add(self, origin: Origin) -> Origin:
        return self._origins.setdefault(origin.key, origin)

    def _ranking(self, today: RankingName | None, name: str) -> Origin:
        """The ranking that led to a network; one of before stands apart.

        Args:
            today: the ranking that leads there today; None: none does.
        """
        if today:
            return self._add(Origin(f"ranking:{today}", "ranking", ROOT, CAPTIONS[today], ranking=today))
        told = "as it was before the ranking or the constraints changed"
        caption = f"{CAPTIONS.get(name, 'A ranking')}, before"
        return self._add(Origin(f"ranking:{name}:before", "ranking", ROOT, caption, told))

    def _network(self, keep_id: str, macs_fraction: float, today: RankingName | None, name: str) -> Origin:
        """A network as it is cut."""
        known, ranking = self._measured.known.get(keep_id), self._ranking(today, name)
        title, top1 = f"{100 * macs_fraction:.1f} % of the MACs", known.top1_before if known else None
        key = f"network:{keep_id}"
        return self._add(Origin(key, "network", ranking.key, title, "as cut", top1, today, macs_fraction))

    def _add_run(self, run: FineTuned) -> None:
        network = self._network(run.keep_id, run.macs_fraction, self._measured.order_of(run), run.ranking)
        title = on_one_line(run.name) or f"Fine-tuned: {training_description(run)}"
        told = f"{run.created[:10]}{f', {run.provenance.machine}' if run.provenance.machine else ''}"
        self._add(
            replace(
                network, key=f"run:{run.key}", kind="run", parent=network.key, title=title, told=told, top1=run.top1,
                run=run.key, name=run.name,
            )
        )  # fmt: skip

    def _add_supernet(self, run: SupernetRun) -> None:
        names = [name for name in self._study.rankings if name == run.ranking]
        today = next((name for name in names if self._study.ranking_id(name) == run.ranking_id), None)
        own = points_by_network(run, self._study.info.input_shape[1]).values()
        points = [point for point in own if point.macs_fraction < 1] or list(run.points)
        low, high = min(points, key=lambda p: p.top1), max(points, key=lambda p: p.top1)
        told = (
            f"{100 * high.top1:.1f} % at {100 * high.macs_fraction:.0f} % of the MACs to {100 * low.top1:.1f} % at "
            f"{100 * low.macs_fraction:.0f} %; {run.created[:10]}"
        )
        title = on_one_line(run.name) or f"Trained together, {plural(run.epochs, 'epoch')}"
        key, parent = f"supernet:{run.key}", self._ranking(today, run.ranking)
        self._add(Origin(key, "supernet", parent.key, title, told, high.top1, today, run=run.key, name=run.name))

    def _add_export(self, export: ExportedNetwork) -> None:
        parent, today = self._exported(export)
        told = "; ".join(filter(None, (export.when, self._timed(export))))
        self._add(
            Origin(
                f"export:{export.key}", "export", parent.key, export.title, told, ranking=today,
                macs_fraction=export.macs_fraction, run=export.run, height=export.height,
            )
        )  # fmt: skip

    def _exported(self, export: ExportedNetwork) -> tuple[Origin, RankingName | None]:
        """What was exported: the networks of a run, or a network as cut; and the ranking that leads to it today."""
        today = self._today(export)
        for key in (f"run:{export.run}", f"supernet:{export.run}"):
            if key in self._origins:
                return self._origins[key], today
        network = self._network(export.keep_id, export.macs_fraction, today, export.ranking)
        if not export.run:
            return network, today
        told = "its weights are not in this study any more"
        key = f"removed:{export.run}:{export.keep_id}"
        return self._add(Origin(key, "removed", network.key, "A training that was removed", told)), None

    def _today(self, export: ExportedNetwork) -> RankingName | None:
        """The ranking whose order leads to an exported network today."""
        for name in self._study.rankings:
            curve = self._curve_of(name)
            if on_curve(curve, round(export.macs_fraction * curve.original.macs), export.keep_id):
                return name
        return None

    def _timed(self, export: ExportedNetwork) -> str:
        """Where an exported network was timed, with its latency: "1.2 ms on AMD EPYC, 1 thread, …"; "" if nowhere."""
        measured, keep_id = self._measured, export.keep_id
        if export.height is None:
            known = measured.known.get(keep_id)
            points = (*known.pruned, *known.finetuned) if known else ()
            latencies = [p.latency for p in points if p.latency] + list(measured.own_latencies.get(keep_id, ()))
        else:
            sized = [one for one in measured.sized if (one.keep_id, one.height) == (keep_id, export.height)]
            latencies = [latency for one in sized for latency in one.latencies]
        latest = {device_name(latency.conditions): latency.milliseconds for latency in latencies}
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
