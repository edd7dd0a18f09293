"""Norms of kept and removed filters, by those of the pruned network itself."""

import numpy as np
import torch

from legr import BudgetCurve, filter_norms, prune, trace
from legr.charts.filter_norms import norms_figure, norms_table
from legr.models.zoo import build_model
from legr.ranking.constraints import Constraints
from legr.ranking.order import Ranker


def test_each_layer_has_its_kept_and_its_removed_filters() -> None:
    model = build_model("cifar_resnet20", 10, seed=0).eval()
    structure = trace(model, torch.zeros(1, 3, 16, 16))
    ranker = Ranker(structure, filter_norms(model, structure))
    curve = BudgetCurve(structure, ranker.rank(constraints=Constraints(multiple=8, blocks=True)))
    step = curve.step(macs=max(0.2, curve.floor))
    table = norms_table(ranker, curve.keep(step))
    pruned = dict(prune(model, structure, curve.keep(step)).named_parameters())
    for number, layer in enumerate(structure.layers):
        rows = table[table["layer"] == layer.name].set_index("kept")
        kept, norms = int(curve.kept[number, step]), ranker.norms.values[number]
        assert rows["filters"].sum() == layer.total
        assert (int(rows.loc[True, "filters"]) if kept else 0) == kept
        assert (layer.parameter in pruned) == (kept > 0)
        assert rows["low"].min() == norms.min() and rows["high"].max() == norms.max()
        if kept == layer.total:
            assert rows.loc[True, "median"] == np.median(norms)
    assert (~table["kept"]).sum() > 0 and table["layer"].nunique() == len(structure.layers)
    figure = norms_figure(table, "#000000")
    assert [box.name for box in figure.data] == ["kept", "removed"]
    assert list(figure.layout.xaxis.categoryarray) == [layer.name for layer in structure.layers]
