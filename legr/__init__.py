"""LeGR: learn one global order of a ConvNet's filters, then every budget is a prefix of it.

    structure = legr.trace(model, torch.zeros(1, 3, 32, 32))       # which channels go together
    legr.verify(model, structure, torch.zeros(1, 3, 32, 32))       # proof: zeroed = removed
    ranking = legr.rank(structure, legr.filter_norms(model, structure))
    keep = legr.BudgetCurve(structure, ranking).at(macs=0.5)       # half the multiply-adds
    smaller = legr.prune(model, structure, keep)                   # a new nn.Module, same forward
    legr.cost(structure, keep)                                     # exact MACs and parameters

Names are loaded when first used: `import legr`, and all that a finished study needs, costs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from legr.deploy.bundle import rebuild
    from legr.errors import (
        BudgetError,
        DataError,
        ExportError,
        JobError,
        LegrError,
        SettingsError,
        StudyError,
        TraceError,
        VerificationError,
        WeightsError,
    )
    from legr.ranking.budget import BudgetCurve
    from legr.ranking.constraints import Constraints
    from legr.ranking.limits import Budget
    from legr.ranking.norms import filter_norms
    from legr.ranking.order import rank, rank_uniform
    from legr.ranking.types import Affine, Norms, Ranking
    from legr.structure.cost import cost
    from legr.structure.examples import Example
    from legr.structure.surgery import prune
    from legr.structure.tracing.trace import trace
    from legr.structure.types import Cost, Keep, Structure
    from legr.structure.verify import verify
    from legr.study.store import Study

__version__ = "0.2.0"

_HOMES = {
    "legr.deploy.bundle": ("rebuild",),
    "legr.errors": (
        "BudgetError",
        "DataError",
        "ExportError",
        "JobError",
        "LegrError",
        "SettingsError",
        "StudyError",
        "TraceError",
        "VerificationError",
        "WeightsError",
    ),
    "legr.ranking.budget": ("BudgetCurve",),
    "legr.ranking.limits": ("Budget",),
    "legr.ranking.norms": ("filter_norms",),
    "legr.ranking.order": ("rank", "rank_uniform"),
    "legr.ranking.constraints": ("Constraints",),
    "legr.ranking.types": ("Affine", "Norms", "Ranking"),
    "legr.structure.cost": ("cost",),
    "legr.structure.examples": ("Example",),
    "legr.structure.surgery": ("prune",),
    "legr.structure.tracing.trace": ("trace",),
    "legr.structure.types": ("Cost", "Keep", "Structure"),
    "legr.structure.verify": ("verify",),
    "legr.study.store": ("Study",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Affine",
    "Budget",
    "BudgetCurve",
    "BudgetError",
    "Constraints",
    "Cost",
    "DataError",
    "Example",
    "ExportError",
    "JobError",
    "Keep",
    "LegrError",
    "Norms",
    "Ranking",
    "SettingsError",
    "Structure",
    "Study",
    "StudyError",
    "TraceError",
    "VerificationError",
    "WeightsError",
    "cost",
    "filter_norms",
    "prune",
    "rank",
    "rank_uniform",
    "rebuild",
    "trace",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'legr' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
