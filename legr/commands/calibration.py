"""Which training images batch norms are recalibrated on: chosen once for a study, used by every command."""

import time
from contextlib import suppress

import torch

from legr.commands.original import original
from legr.commands.provenance import provenance_of
from legr.data.images import Dataset
from legr.progress import Progress, Report, silent
from legr.ranking.budget import BudgetCurve
from legr.structure.surgery import prune
from legr.study.calibration_choice import (
    CHOICE,
    CalibrationChoice,
    JudgedDifference,
    JudgedNetwork,
    needs_choice,
    write_choice,
)
from legr.study.store import Study
from legr.training.batch_norm import has_batch_norms
from legr.training.calibration import PLAIN, Calibration
from legr.training.choose_calibration import BUDGETS, choose_calibration


def calibration_of(study: Study, dataset: Dataset, device: torch.device, report: Report = silent) -> Calibration:
    """What batch norms are recalibrated on; it is chosen now, and stored, where that is still to be done."""
    if not needs_choice(study.folder, study.info):
        return study.calibration
    choice = judge(study, dataset, device, report)
    if choice is None:
        return PLAIN
    with suppress(OSError):  # of a folder that cannot be written: the next command chooses the same again
        write_choice(study.within(CHOICE).parent, choice)
    return choice.calibration


def judge(study: Study, dataset: Dataset, device: torch.device, report: Report = silent) -> CalibrationChoice | None:
    """Compare what can be recalibrated on; nothing is stored. None where the network has no batch norms."""
    model, start = original(study), time.monotonic()
    if not has_batch_norms(model):
        return None
    curve = BudgetCurve(study.structure, study.ranker.rank())  # whatever was learned, and without constraints
    budgets = [budget for budget in BUDGETS if budget >= curve.floor]
    stage = "choosing images for the batch norms"
    report(Progress(stage, 0, len(budgets)))
    verdict = choose_calibration(
        model,
        (prune(model, study.structure, curve.at(macs=budget)).eval() for budget in budgets),
        dataset,
        study.info.normalization,
        device,
        lambda done: report(Progress(stage, done, len(budgets))),
    )
    command = ["evaluate", "--study", study.path.name, "--macs", f"{budgets[-1]:g}"]  # the first that asks, chooses
    return CalibrationChoice(
        images=verdict.calibration.images,
        border=verdict.calibration.border,
        heldout_images=verdict.heldout_images,
        heldout_seen=study.info.weights_origin == "elsewhere",
        networks=tuple(map(JudgedNetwork, budgets, verdict.top1)),
        differences={
            images: JudgedDifference(found.mean, found.noise) for images, found in verdict.differences.items()
        },
        deviations=verdict.deviations,
        provenance=provenance_of(command, time.monotonic() - start, device, 0),
    )
