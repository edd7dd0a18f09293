"""Predict every test image with networks along a ranking: which classes lose accuracy, and what changes first."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from legr.commands.calibration import calibration_of
from legr.commands.compare import pictures_of
from legr.commands.images import images_of
from legr.commands.measure import BUDGETS
from legr.commands.network import choose_statistics, network_of_units
from legr.commands.original import original
from legr.commands.prediction_results import ClassesAt, ClassesResult
from legr.commands.provenance import provenance_of
from legr.commands.supernet_points import MEASURED, keeps_along
from legr.errors import SettingsError, StudyError
from legr.progress import Progress, Report
from legr.ranking.budget import BudgetCurve
from legr.requests.measure import ClassesRequest
from legr.structure.cost import cost, everything, original_cost
from legr.structure.types import Keep
from legr.study.along import (
    CHANGED,
    AboutAlong,
    NetworkAlong,
    PredictionsAlong,
    changed_first,
    drop_rows,
    load_along,
    load_row,
    one_of_each_class,
    row_name,
    save_along,
    save_row,
)
from legr.study.records import RankingName
from legr.study.store import Study, keep_id
from legr.study.supernets import SupernetRun, supernet_of
from legr.training.evaluate import predict_topk

_BELOW = (0.1, 0.05, 0.02)  # budgets below those that are measured
_LISTED = 100  # images that change, in a result


def stored_classes(study: Study, ranking: RankingName | None) -> ClassesResult | None:
    """The result of predictions that are stored; None where they are not there, damaged or of other networks."""
    try:
        along = load_along(study, ranking or study.default_ranking)
    except StudyError:
        return None
    return _result(study, along) if along else None


def classes(study: Study, request: ClassesRequest, device: torch.device, report: Report) -> ClassesResult:
    """Predict every test image with the original and with networks along a ranking.

    These are the measured ones of the ranking's supernet where it has one, else the pruned original at a dozen budgets,
    in float32 and with the statistics that `measure` takes. What is stored already is not asked again, also that of a
    call that was stopped.

    Raises:
        SettingsError: no network is smaller than the original.
        DataError: the images are not on this machine.
    """
    ranking = request.ranking or study.default_ranking  # a search that ends meanwhile changes it
    finished = stored_classes(study, ranking)
    if finished is not None:
        return finished
    start, asked = time.monotonic(), _asked(study, ranking)
    model, dataset = original(study), images_of(study, report)
    calibration_of(study, dataset, device, report)  # before any network has its batch norms recalibrated
    about = replace(asked.about, calibration=study.calibration.key)
    rows, names = [], [row_name(about, network) for network in about.networks]
    for number, (keep, run, name) in enumerate(zip(asked.keeps, asked.runs, names, strict=True), 1):
        row = load_row(study, name, len(dataset.test))
        if row is None:
            network = choose_statistics(study, network_of_units(study, model, keep, run), dataset, device)
            top, sure = predict_topk(network.model, dataset.test, study.info.normalization, device=device, top=1)
            row = top[:, 0].numpy().astype(np.int32), sure[:, 0].nan_to_num(0).clamp(0, 1).numpy().astype(np.float32)
            save_row(study, name, *row)
        rows.append(row)
        left = (time.monotonic() - start) / number * (len(names) - number)
        report(Progress("network", number, len(names), left))
    labels, found = dataset.test.labels.numpy().astype(np.int32), np.stack([classes for classes, _ in rows])
    numbers = np.union1d(one_of_each_class(labels, found[0] == labels), changed_first(found)[:CHANGED])
    command = ["classes", "--study", study.path.name, "--ranking", ranking]
    result = PredictionsAlong(
        replace(about, provenance=provenance_of(command, time.monotonic() - start, device)),
        labels,
        found,
        numbers.astype(np.int32),
        np.stack([sure[numbers] for _, sure in rows]),
        pictures_of(dataset.test.images[torch.from_numpy(numbers).long()]),
    )
    save_along(study, result)
    drop_rows(study, names)
    return _result(study, result)


@dataclass(frozen=True)
class _Asked:
    """Which networks are asked.

    Attributes:
        keeps: kept sets, the whole one first.
        runs: whose weights each has; None: those of the original.
    """

    about: AboutAlong
    keeps: tuple[Keep, ...]
    runs: tuple[SupernetRun | None, ...]


def _asked(study: Study, ranking: RankingName) -> _Asked:
    curve, supernet = study.curve(ranking), supernet_of(study, ranking)
    whole, smaller = original_cost(study.structure).macs, list[tuple[Keep, float]]()
    for keep in _keeps(curve, supernet):
        share = cost(study.structure, keep).macs / whole
        if share < (smaller[-1][1] if smaller else 1):  # units without MACs may lie between two networks
            smaller.append((keep, share))
    if not smaller:
        raise SettingsError(
            f"no network of {study.path.name} is smaller than the original: its floor is at {100 * curve.floor:.0f} % "
            "of the MACs; change the shape with `python -m legr shape`"
        )
    asked = ((everything(study.structure), 1.0), *smaller)
    networks = tuple(NetworkAlong(keep_id(keep), share) for keep, share in asked)
    key, trained = (supernet.key, supernet.created) if supernet else (None, "")
    about = AboutAlong(ranking, study.ranking_id(ranking), key, trained, study.calibration.key, networks)
    return _Asked(about, tuple(keep for keep, _ in asked), (None, *(supernet for _ in smaller)))


def _keeps(curve: BudgetCurve, supernet: SupernetRun | None) -> Iterator[Keep]:
    """The measured networks of a supernet; else those of some budgets, and the smallest."""
    if supernet is not None:
        yield from keeps_along(curve, supernet.smallest, MEASURED)
        return
    budgets = sorted({budget for budget in (*BUDGETS, *_BELOW) if budget >= curve.floor} | {curve.floor}, reverse=True)
    yield from map(curve.keep, dict.fromkeys(curve.step(macs=budget) for budget in budgets))


def _result(study: Study, along: PredictionsAlong) -> ClassesResult:
    about, top1, of_classes = along.about, along.top1, along.top1_of_classes(study.info.num_classes)
    known = [[None if np.isnan(value) else value for value in row] for row in of_classes.tolist()]
    return ClassesResult(
        ranking=about.ranking,
        supernet=about.supernet or "",
        calibration=about.calibration,
        classes=study.info.classes,
        images=len(along.labels),
        networks=tuple(
            ClassesAt(network.keep_id, network.macs_fraction, float(top1[row]), tuple(known[row]))
            for row, network in enumerate(about.networks)
        ),
        changed_first=tuple((changed_first(along.classes)[:_LISTED] + 1).tolist()),
    )
