"""The network of a budget as numbers: no torch, no images.

It does not know accuracy or latency.
"""

from dataclasses import asdict
from typing import Any

from legr.study.store import Study


def show(study: Study, macs: float) -> dict[str, Any]:
    """Cost and filter counts of the default ranking's network at a fraction of the original's MACs."""
    curve = study.curve()
    step = curve.step(macs=macs)
    run = study.best_finetuned(curve.keep(step))
    return {
        "study": study.info.name,
        "model": study.info.model,
        "ranking": study.default_ranking,
        "macs": int(curve.macs[step]),
        "macs_fraction": float(curve.macs[step] / curve.macs[0]),
        "params": int(curve.params[step]),
        "params_fraction": float(curve.params[step] / curve.params[0]),
        "dense_macs": int(curve.macs[0]),
        "dense_params": int(curve.params[0]),
        "floor": curve.floor,
        "finetuned_top1": run.top1 if run else None,
        "layers": [
            {"name": layer.name, "kept": int(kept), "total": layer.total}
            for layer, kept in zip(study.structure.layers, curve.kept[:, step], strict=True)
        ],
        "unprunable": [asdict(held) for held in study.structure.held],
    }
