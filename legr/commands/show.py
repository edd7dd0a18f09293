"""The network of a budget as numbers: no torch, no images."""

from legr.commands.results import LayerCount, NetworkSummary
from legr.ranking.limits import Budget
from legr.structure.cost import cost
from legr.study.calibration_choice import calibration_words
from legr.study.store import Study


def show(study: Study, budget: Budget) -> NetworkSummary:
    """Cost and filter counts of the default ranking's network within a budget.

    Raises:
        BudgetError: the budget is below the floor.
    """
    curve = study.curve(budget=budget)
    step = curve.step(budget)
    keep, original = curve.keep(step), curve.original
    pruned, run = cost(study.structure, keep, curve.device), study.best_finetuned(keep)
    return NetworkSummary(
        study=study.info.name,
        model=study.info.model,
        ranking=study.default_ranking,
        constraints=study.constraints,
        macs=pruned.macs,
        macs_fraction=pruned.macs / original.macs,
        params=pruned.params,
        params_fraction=pruned.params / original.params,
        activation=pruned.activation,
        original_macs=original.macs,
        original_params=original.params,
        original_activation=original.activation,
        floor=curve.floor,
        floors=curve.floors,
        finetuned_top1=run.top1 if run else None,
        layers=tuple(
            LayerCount(layer.name, int(kept), layer.total)
            for layer, kept in zip(study.structure.layers, curve.kept[:, step], strict=True)
        ),
        unprunable=study.structure.unprunable,
        uncounted=study.structure.uncounted,
        calibration=study.calibration.key,
        calibration_words=calibration_words(study.folder, study.info),
        device_profile=budget.device_profile,
        latency_ms=pruned.latency_ms,
        original_latency_ms=original.latency_ms,
    )
