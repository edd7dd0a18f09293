"""The network of a budget as numbers: no torch, no images.

It does not know accuracy or latency.
"""

from dataclasses import asdict
from typing import Any

from legr.ranking.limits import Budget
from legr.structure.cost import cost
from legr.study.store import Study


def show(study: Study, budget: Budget) -> dict[str, Any]:
    """Cost and filter counts of the default ranking's network within a budget."""
    curve = study.curve()
    step = curve.step(budget)
    keep, dense = curve.keep(step), curve.dense
    own, run = cost(study.structure, keep), study.best_finetuned(keep)
    return {
        "study": study.info.name,
        "model": study.info.model,
        "ranking": study.default_ranking,
        "shape": study.constraints.to_dict(),
        "macs": own.macs,
        "macs_fraction": own.macs / dense.macs,
        "params": own.params,
        "params_fraction": own.params / dense.params,
        "activation": own.activation,
        "dense_macs": dense.macs,
        "dense_params": dense.params,
        "dense_activation": dense.activation,
        "floor": curve.floor,
        "floors": curve.floors,
        "finetuned_top1": run.top1 if run else None,
        "layers": [
            {"name": layer.name, "kept": int(kept), "total": layer.total}
            for layer, kept in zip(study.structure.layers, curve.kept[:, step], strict=True)
        ],
        "unprunable": [asdict(remark) for remark in study.structure.unprunable],
    }
