"""Predict every test image with networks along a ranking, and store which classes pay and what changes first."""

import time
from dataclasses import dataclass

import numpy as np
import torch

from legr.commands.compare import pictures_of
from legr.commands.images import images_of
from legr.commands.measure import BUDGETS
from legr.commands.network import choose_statistics, network_of_units
from legr.commands.original import original
from legr.commands.provenance import provenance_of
from legr.commands.results import ClassesAt, ClassesResult
from legr.commands.supernet_points import MEASURED, keeps_along
from legr.errors import SettingsError, StudyError
from legr.progress import Progress, Report
from legr.requests.measure import ClassesRequest
from legr.structure.cost import everything
from legr.structure.types import Keep
from legr.study.along import (
    CHANGED,
    AboutAlong,
    NetworkAlong,
    PredictionsAlong,
    changed_first,
    load_along,
    one_of_each_class,
    save_along,
)
from legr.study.records import RankingName
from legr.study.store import Study
from legr.study.supernets import SupernetRun, supernet_of
from legr.training.evaluate import predict_topk

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
    in float32 and with the statistics that `measure` takes. What is stored already is not asked again.

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
    networks, predicted, probabilities = [], [], []
    for number, (keep, run) in enumerate(asked.networks, 1):
        network = choose_statistics(study, network_of_units(study, model, keep, run), dataset, device, report)
        top, sure = predict_topk(network.model, dataset.test, study.info.normalization, device=device, top=1)
        networks.append(NetworkAlong(network.keep_id, network.macs_fraction))
        predicted.append(top[:, 0].numpy().astype(np.int32))
        probabilities.append(sure[:, 0].nan_to_num(0).clamp(0, 1).numpy().astype(np.float32))
        left = (time.monotonic() - start) / number * (len(asked.networks) - number)
        report(Progress("network", number, len(asked.networks), left))
    labels, found = dataset.test.labels.numpy().astype(np.int32), np.stack(predicted)
    numbers = np.union1d(one_of_each_class(labels, found[0] == labels), changed_first(found)[:CHANGED])
    made = provenance_of(
        ["classes", "--study", study.path.name, "--ranking", ranking], time.monotonic() - start, device
    )
    supernet = asked.supernet.key if asked.supernet else None
    about = AboutAlong(ranking, asked.ranking_id, supernet, study.calibration.key, tuple(networks), made)
    pictures = pictures_of(dataset.test.images[torch.from_numpy(numbers).long()])
    sure_of = np.stack(probabilities)[:, numbers]
    result = PredictionsAlong(about, labels, found, numbers.astype(np.int32), sure_of, pictures)
    save_along(study, result)
    return _result(study, result)


@dataclass(frozen=True)
class _Asked:
    """Which networks are asked.

    Attributes:
        networks: kept sets, the whole one first, each with the run whose weights it has.
    """

    ranking_id: str
    supernet: SupernetRun | None
    networks: tuple[tuple[Keep, SupernetRun | None], ...]


def _asked(study: Study, ranking: RankingName) -> _Asked:
    curve, supernet = study.curve(ranking), supernet_of(study, ranking)
    if supernet is not None:
        keeps = keeps_along(curve, supernet.smallest, MEASURED)
    else:
        keeps = (curve.keep(step) for step in dict.fromkeys(curve.step(macs=b) for b in BUDGETS if b >= curve.floor))
    smaller = [keep for keep in keeps if not keep.units.all()]
    if not smaller:
        raise SettingsError(
            f"no network of {study.path.name} is smaller than the original: its floor is at {100 * curve.floor:.0f} % "
            "of the MACs; change the shape with `python -m legr shape`"
        )
    networks = ((everything(study.structure), None), *((keep, supernet) for keep in smaller))
    return _Asked(study.ranking_id(ranking), supernet, networks)


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
