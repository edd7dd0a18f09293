"""What of a model can be pruned, and why the rest cannot: traced and proved, without images or a study."""

import time
from pathlib import Path

import torch
from torch import nn

from legr.commands.checks import require_finite_answers
from legr.commands.results import Inspection
from legr.models.detectors import whole_model
from legr.models.weights import load_weights
from legr.models.zoo import ModelSpec, build_model
from legr.ranking.budget import BudgetCurve
from legr.ranking.norms import filter_norms
from legr.ranking.order import rank
from legr.structure.cost import original_cost
from legr.structure.tracing.trace import trace
from legr.structure.types import Structure
from legr.structure.unprunable import prunable_macs
from legr.structure.verify import verify


def inspect(
    spec: ModelSpec,
    *,
    num_classes: int | None = None,
    shapes: tuple[tuple[int, ...], ...] | None = None,
    weights: Path | None = None,
) -> Inspection:
    """Build a model, trace it, and prove the trace.

    Args:
        num_classes: outputs; None is the model's default.
        shapes: of every input, the batch of 1 in front; None is one image as the model was designed for.
        weights: file of its weights; None leaves them random.

    Raises:
        LegrError: it cannot be built, traced or proved; one sentence says why.
    """
    classes = spec.num_classes if num_classes is None else num_classes
    model, shapes = build_model(spec, classes), shapes or ((1, *spec.input_shape),)
    if weights is not None:
        load_weights(whole_model(model), weights)
    example = tuple(torch.zeros(shape) for shape in shapes)
    start = time.perf_counter()
    structure = trace(model, example)
    seconds = time.perf_counter() - start
    if weights is not None:
        require_finite_answers(model, *shapes)
    self_check = verify(model, structure, example)
    cost = original_cost(structure)
    return Inspection(
        model=spec.name,
        classes=classes,
        inputs=structure.input_shapes,
        units=structure.n_units,
        layers=len(structure.layers),
        groups=len(structure.groups),
        macs=cost.macs,
        params=cost.params,
        activation_bytes=cost.activation,
        prunable_macs=prunable_macs(structure),
        floor=_floors(model, structure),
        trace_seconds=seconds,
        self_check=self_check,
        unprunable=structure.unprunable,
        coupled=structure.coupled,
        exempt=structure.exempt,
        untouched=structure.untouched,
        uncounted=structure.uncounted,
    )


def _floors(model: nn.Module, structure: Structure) -> dict[str, float]:
    """The smallest fractions that the identity ranking reaches, by metric."""
    if structure.n_units == 0:
        return {"macs": 1.0, "params": 1.0}
    floors = BudgetCurve(structure, rank(structure, filter_norms(model, structure))).floors
    return {"macs": floors["macs"], "params": floors["params"]}
