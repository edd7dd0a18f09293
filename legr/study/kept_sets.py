"""Kept sets by name: which network a figure or a fine-tuning run is of, whatever the ranking is by now.

This module must not import torch.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from legr.ranking.budget import BudgetCurve
from legr.structure.types import Keep
from legr.study.records import FineTuned, Point, RankingName

_RUN_KEY = re.compile(r"([0-9a-f]{12})-[0-9a-f]{8}")  # of a fine-tuning run: the kept set, then the settings


def keep_id(keep: Keep) -> str:
    """A short name for a kept set."""
    return digest(np.packbits(keep.units))


def digest(array: np.ndarray) -> str:
    """A short name for the content of an array."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:12]


def packed(keep: Keep) -> str:
    """A kept set as text: one bit a unit, in base64."""
    return base64.b64encode(np.packbits(keep.units).tobytes()).decode("ascii")


def unpacked(text: str, n_units: int) -> Keep:
    """Read a kept set from what `packed` wrote.

    Raises:
        ValueError: it is no text of `packed` for a network with so many units.
    """
    content = np.frombuffer(base64.b64decode(text, validate=True), dtype=np.uint8)
    if len(content) != -(-n_units // 8):
        raise ValueError(f"a kept set of {n_units} units has {-(-n_units // 8)} bytes, got {len(content)}")
    units = np.unpackbits(content, count=n_units).astype(bool)
    units.setflags(write=False)
    return Keep(units)


def on_curve(curve: BudgetCurve, macs: int, name: str) -> Keep | None:
    """The kept set of that name, if a ranking leads to it today; None where it does not.

    Args:
        macs: of the network.
    """
    keeps = (curve.keep(step) for step in np.flatnonzero(curve.macs == macs).tolist())
    return next((keep for keep in keeps if keep_id(keep) == name), None)


def kept_set(run: FineTuned, curves: Iterable[BudgetCurve], n_units: int) -> Keep | None:
    """The kept set of a fine-tuning run: as stored with it, else where a curve still leads to it; None: it is lost.

    Args:
        curves: of the rankings that the study has today.
        n_units: of the network.
    """
    if run.kept:
        try:
            keep = unpacked(run.kept, n_units)
        except ValueError:
            return None
        return keep if keep_id(keep) == run.keep_id else None
    found = (on_curve(curve, round(run.macs_fraction * curve.original.macs), run.keep_id) for curve in curves)
    return next((keep for keep in found if keep is not None), None)


def with_kept_sets(
    points: Sequence[Point], curves: Mapping[tuple[RankingName, str], BudgetCurve], n_units: int
) -> list[Point]:
    """Points of an earlier version with the names of their kept sets, where those are certain.

    A run of fine-tuning has the kept set in its key. Under the same ranking and constraints the same budget leads to
    the same network, so a point shares its kept set with a fine-tuned one beside it, and with a curve of today.

    Args:
        curves: by the ranking and `Study.ranking_id` of those points that they hold for.
        n_units: of the network.
    """
    named = [replace(p, keep_id=_certain(p, curves, n_units)) for p in points]
    beside = {_place(p): p.keep_id for p in named if p.keep_id}
    return [p if p.keep_id else replace(p, keep_id=beside.get(_place(p), "")) for p in named]


def _certain(point: Point, curves: Mapping[tuple[RankingName, str], BudgetCurve], n_units: int) -> str:
    if point.keep_id:
        return point.keep_id
    if point.ranking == "original":
        return keep_id(Keep(np.ones(n_units, dtype=bool))) if point.macs_fraction == 1 else ""
    of_key = _RUN_KEY.fullmatch(point.finetuned.key) if point.finetuned else None
    if of_key:
        return of_key[1]
    curve = curves.get((point.ranking, point.ranking_id))
    if curve is None or not curve.floor <= point.budget <= 1:
        return ""
    step = curve.step(macs=point.budget)
    same = (curve.macs[step], curve.params[step]) == (point.macs, point.params)
    return keep_id(curve.keep(step)) if same else ""


def _place(point: Point) -> tuple[object, ...]:
    return point.ranking, point.ranking_id, point.budget, point.macs, point.params
