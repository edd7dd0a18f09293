"""Try out the branches that a trace has found: without them beside the zeroed network. One that fails is no branch."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from legr.structure.branches import without
from legr.structure.copies import WithoutStatistics, zeroed
from legr.structure.differences import largest, relative_error
from legr.structure.examples import Example
from legr.structure.model_io import first_line, output_values, reseed
from legr.structure.precision import OnePrecision
from legr.structure.state import State
from legr.structure.surgery import prune
from legr.structure.types import Branch, Keep, Remark, Structure

_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-3}  # relative


def with_proved_branches(
    state: State, structure: Structure, calls: Sequence[Example], *, shapes_only: bool = False
) -> Structure:
    """The structure with those of its branches that may be emptied; remarks say why others may not.

    Args:
        state: of a private copy with random values in its norms.
        shapes_only: whether nothing may be written into it, so that a network without them has to run and no more.
    """
    trial = _Trial(state, structure, calls, shapes_only)
    failed = _failing(trial, structure.branches)
    if not failed:
        return structure
    remarks = tuple(Remark(x.name, "block", f"it cannot leave as a whole: {why}", len(x.units)) for x, why in failed)
    bad = {branch.name for branch, _ in failed}
    return replace(
        structure,
        branches=tuple(branch for branch in structure.branches if branch.name not in bad),
        coupled=(*structure.coupled, *remarks),
    )


class _Trial:
    """Compares networks without some branches."""

    def __init__(self, state: State, structure: Structure, calls: Sequence[Example], shapes_only: bool) -> None:
        self._state, self._structure, self._calls, self._shapes_only = state, structure, calls, shapes_only

    def problem(self, branches: Sequence[Branch]) -> str:
        """What goes wrong in the network without these branches; "" if nothing does."""
        keep = without(Keep(np.ones(self._structure.n_units, dtype=bool)), branches)
        for call in self._calls:
            try:
                removed = self._outputs(State(prune(self._state.model, self._structure, keep)), call)
            except Exception as failure:
                return first_line(failure)
            if self._shapes_only:
                continue
            with zeroed(self._state.model, self._structure, keep):
                expected = self._outputs(self._state, call)
            if expected.keys() != removed.keys():
                return "the network returns other things then"
            for name, value in expected.items():
                error = relative_error(value, removed[name], largest(value))
                if not error <= _TOLERANCE[torch.get_default_dtype()]:
                    return f"zeroing and removing its layers differ by {error:.1e}"
        return ""

    @torch.inference_mode()
    def _outputs(self, state: State, call: Example) -> dict[str, Tensor]:
        private = call.map(torch.clone)
        with state.running() as watch:
            with watch:
                state.model.train(call.training)
            reseed()
            with WithoutStatistics(state.model, self._structure.exempt), watch, OnePrecision():
                return output_values(private.run(state.model))


def _failing(trial: _Trial, branches: Sequence[Branch]) -> list[tuple[Branch, str]]:
    """The branches that cannot be emptied, and why; those that can are mostly tried all at once."""
    why = trial.problem(branches) if branches else ""
    if not why:
        return []
    if len(branches) == 1:
        return [(branches[0], why)]
    middle = len(branches) // 2
    return [*_failing(trial, branches[:middle]), *_failing(trial, branches[middle:])]
