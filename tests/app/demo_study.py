"""Small finished studies for tests of the pages: a real network, and a hand-made map and points.

Nothing is trained, so making one takes about a second.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from legr.data.normalization import Normalization
from legr.structure.cost import cost
from legr.study.heights import CostsAtHeight, add_heights, structures_by_height
from legr.study.kept_sets import packed
from legr.study.latency import Latency
from legr.study.records import (
    Epoch,
    FineTuned,
    FineTuning,
    Learned,
    Point,
    PointRanking,
    SearchSettings,
    StudyInfo,
)
from legr.study.scaled import ScaledPoint, add_scaled
from legr.study.store import Study, keep_id
from legr.study.supernets import SupernetPoint, SupernetRun, save_supernet, weights_path
from legr.training.settings import RECIPES
from legr.training.supernet_settings import SupernetSettings

ORIGINAL_TOP1, ORIGINAL_MS = 0.95, 4.0
BUDGETS = (0.9, 0.7, 0.5, 0.3, 0.15)
LOSS_OF = {"learned": 0.10, "identity": 0.25, "uniform": 0.45}  # accuracy lost at the smallest budget


def make_study(
    path: Path,
    *,
    model: str = "cifar_resnet8",
    learned: bool = True,
    sample: bool = False,
    data: str = "digits",
    side: int = 32,
) -> Study:
    """Make a study of a network with random weights; its points are made up, its costs are real.

    Args:
        side: of its images, pixels.
    """
    import torch

    from legr.data.cifar import CIFARS
    from legr.data.digits import DIGITS_FINGERPRINT
    from legr.models.zoo import build_model
    from legr.ranking.norms import filter_norms
    from legr.structure.tracing.trace import trace

    network = build_model(model, 10)
    structure = trace(network, torch.zeros(1, 3, side, side))
    fingerprint = DIGITS_FINGERPRINT if data == "digits" else CIFARS[data].fingerprint
    info = StudyInfo(
        name=path.name, model=model, num_classes=10, input_shape=(3, side, side), weights_sha256="0" * 64,
        weights_origin="legr", data_name=data, data_fingerprint=fingerprint, classes=tuple("0123456789"),
        split_seed=0, normalization=Normalization("dataset", (0.5,) * 3, (0.25,) * 3),
        self_check=1e-12, created="2026-01-01T00:00:00Z",
    )  # fmt: skip
    study = Study.create(path, info, structure, filter_norms(network, structure))
    if learned:
        study.save_learned(made_up_map(study))
    study.save_points(list(_points(study)))
    return study.mark_as_sample() if sample else study


def add_finetuned(study: Study, budget: float = 0.5, top1: float = 0.93) -> FineTuned:
    """Note a finished fine-tuning run at a budget, and its point on the frontier."""
    curve = study.curve()
    step = curve.step(macs=budget)
    keep = curve.keep(step)
    rows = tuple(Epoch(loss=1 / n, heldout_top1=0.85 + 0.02 * n, heldout_loss=0.5 / n) for n in (1, 2, 3))
    run = FineTuned(
        key=f"run-{budget}", keep_id=keep_id(keep), macs_fraction=float(curve.macs[step] / curve.macs[0]),
        settings=RECIPES["quick"], top1_before=0.81, top1=top1, heldout_top1=0.91, epochs=3,
        seconds=75.0, curve=rows, created="2026-01-02T03:04:05Z", kept=packed(keep),
    )  # fmt: skip
    study.save_finetuned(run)
    study.finetuned_weights(run.key).touch()
    point = _point(study, study.default_ranking, budget, int(curve.macs[step]), int(curve.params[step]), top1)
    study.add_point(replace(point, finetuned=FineTuning.of(run.key, RECIPES["quick"], 3)))
    return run


def add_supernet(
    study: Study,
    budgets: Sequence[float] = (1.0, 0.7, 0.4, 0.2),
    lost: float = 0.05,
    between: Mapping[float, float] | None = None,
    heldout: float | None = None,
) -> SupernetRun:
    """Note a finished supernet of the study's own ranking.

    Args:
        budgets: of its points, the largest first; the last is that of its smallest network.
        lost: top-1 that its smallest network loses beside the whole one; the others lie on a line between them.
        between: budgets of networks between them, with how far their top-1 lies from that line.
        heldout: top-1 of each point on held-out images.
    """
    name = study.default_ranking
    curve, side = study.curve(name), study.info.input_shape[1]
    points = []
    for budget, off in [*((budget, 0.0) for budget in budgets), *(between or {}).items()]:
        step = curve.step(macs=budget)
        macs = int(curve.macs[step])
        share = macs / curve.original.macs
        top1 = round(0.94 - lost * (1 - budget) / (1 - budgets[-1]) + off, 4)
        points.append(
            SupernetPoint(
                keep_id=keep_id(curve.keep(step)), macs=macs, params=int(curve.params[step]), macs_fraction=share,
                side=side, top1=top1, loss=1 - top1, images=1000, heldout_top1=heldout,
            )
        )  # fmt: skip
    points, others = points[: len(budgets)], points[len(budgets) :]
    elsewhere = replace(
        points[-1], side=side - 4, macs=points[-1].macs // 2, top1=0.5, heldout_top1=None
    )  # with smaller images
    rows = tuple(Epoch(loss=1 / n, heldout_top1=0.8 + 0.02 * n, heldout_loss=0.5 / n) for n in (1, 2, 3))
    run = SupernetRun(
        key="together", ranking=name, ranking_id=study.ranking_id(name), smallest=points[-1].macs_fraction,
        settings=SupernetSettings(epochs=3), heldout_top1=0.86, epochs=3, seconds=90.0, calibration="plain", curve=rows,
        points=(*points, elsewhere), created="2026-01-03T03:04:05Z", between=tuple(others),
    )  # fmt: skip
    save_supernet(study, run)
    weights_path(study, run.key).touch()
    return run


def made_up_map(study: Study) -> Learned:
    """What a search of 64 candidates might have found."""
    names = [layer.name for layer in study.structure.layers]
    digest = [hashlib.sha256(name.encode()).digest() for name in names]  # made-up, but always the same
    losses = tuple(round(0.9 - 0.4 * (1 - 0.9**n), 4) for n in range(64))
    return Learned(
        layers=tuple(names), alpha=tuple(2.0 ** (d[0] / 64 - 2) for d in digest),
        kappa=tuple(d[1] / 512 - 0.25 for d in digest), settings=SearchSettings(method="evolution"),
        candidates=64, best_candidate=63, identity_loss=0.9, best_loss=losses[-1], best_losses=losses,
        passes_spent=tuple(float(n) for n in range(1, 65)),
        seconds=41.0, heldout_seen=False,
    )  # fmt: skip


def add_sizes(study: Study, heights: Sequence[int], budgets: Sequence[float] = (1.0, 0.7, 0.4, 0.2)) -> None:
    """Note costs with images of other heights, and a supernet of the study's own ranking that was measured with them.

    Its accuracies are those of its own height, less two points; all but its smallest network were timed.
    """
    run, own = add_supernet(study, budgets), study.info.input_shape[1]
    macs = {h: tuple(round(op.macs * (h / own) ** 2) for op in study.structure.ops) for h in heights}
    add_heights(study, [CostsAtHeight(height, values) for height, values in macs.items()])
    structures = structures_by_height(study)
    keeps = {point.keep_id: study.curve().at(macs=budget) for point, budget in zip(run.points, budgets, strict=False)}
    points = run.points[: len(budgets)]
    elsewhere = [
        replace(
            point,
            side=height,
            macs=cost(structures[height], keeps[point.keep_id]).macs,
            top1=round(point.top1 - 0.02, 4),
        )
        for height in heights
        for point in points
    ]
    save_supernet(study, replace(run, points=(*points, *elsewhere)))
    conditions = next(point.latency for point in study.points if point.latency)
    add_scaled(study, [
        ScaledPoint(
            run.ranking, run.ranking_id, point.keep_id, point.side, run.key, point.macs, point.params,
            point.macs_fraction, point.top1, point.loss, point.images, True, run.calibration,
            replace(conditions, milliseconds=round(1 + 2e-7 * point.macs, 3)),
        )
        for point in elsewhere
        if point.keep_id != points[-1].keep_id
    ])  # fmt: skip


def _points(study: Study) -> Iterator[Point]:
    original = study.curve("identity")
    yield _point(study, "original", 1.0, int(original.macs[0]), int(original.params[0]), ORIGINAL_TOP1)
    for ranking in study.rankings:
        curve = study.curve(ranking)
        for budget in BUDGETS:
            step = curve.step(macs=budget)
            lost = LOSS_OF[ranking] * ((1 - budget) / (1 - BUDGETS[-1])) ** 2
            yield _point(study, ranking, budget, int(curve.macs[step]), int(curve.params[step]), ORIGINAL_TOP1 - lost)


def _point(study: Study, ranking: PointRanking, budget: float, macs: int, params: int, top1: float) -> Point:
    share = macs / int(study.curve("identity").macs[0])
    latency = Latency(ORIGINAL_MS * (0.2 + 0.8 * share), "PyTorch 2.14.1", "cpu", 2, 1)
    return Point(
        ranking=ranking, ranking_id=study.ranking_id(ranking), budget=budget, macs=macs, params=params,
        macs_fraction=share, top1=top1, loss=1 - top1, images=1000, recalibrated=ranking != "original",
        latency=latency,
    )  # fmt: skip
