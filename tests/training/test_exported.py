"""A torch.export program is a module like any other: traced, proved and pruned."""

import numpy as np
import pytest
import torch

import legr
from legr.models.zoo import build_model


@pytest.mark.slow
def test_an_exported_resnet_has_the_units_of_the_original() -> None:
    model, image = build_model("resnet18", 10), torch.zeros(1, 3, 64, 64)
    program = torch.export.export(model, (image,)).module()
    structure = legr.trace(program, image)
    assert structure.n_units == legr.trace(model, image).n_units
    keep = legr.Keep(np.arange(structure.n_units) % 2 == 0)
    smaller = legr.prune(program, structure, keep)
    assert smaller(image).shape == (1, 10)
    assert sum(p.numel() for p in smaller.parameters()) == legr.cost(structure, keep).params
