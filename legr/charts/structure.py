"""What of a network can be pruned: figures, its groups, its unprunable and coupled channels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from legr.charts.cells import safe_cells
from legr.ranking.budget import BudgetCurve
from legr.ranking.footprints import Footprints
from legr.ranking.limits import METRIC_NAMES
from legr.structure.cost import original_layer_macs, uncounted_note
from legr.structure.types import Structure
from legr.structure.unprunable import Reason, merge_reasons, prunable_macs, unreached_note
from legr.study.records import RankingName
from legr.words import plural

MAX_NAMES = 6  # in a sentence
_OVER_CHANNELS = (
    "In a pruned network they normalise over the channels that stay; the proof leaves these norms' statistics out."
)


@dataclass(frozen=True)
class Fact:
    """A figure of a structure, with its label, and what stands behind it."""

    label: str
    value: str
    about: str


def facts(curve: BudgetCurve, ranking: RankingName, self_check: float) -> list[Fact]:
    """What can be pruned, how far, and the result of the proof; of a network of which nothing can, the proof alone.

    Args:
        self_check: largest relative error of zeroed = removed.
    """
    structure = curve.structure
    proof = Fact(
        "Zeroed = removed",
        f"to {self_check:.0e}",
        "Proved on import: setting channels to zero and removing them give the same function. The number is the "
        "largest relative difference, in float64.",
    )
    if structure.n_units == 0:
        return [proof]
    shares = [(f"{100 * floor:.1f} % of", METRIC_NAMES[metric]) for metric, floor in curve.floors.items()]
    floor, others = " ".join(shares[0]), [f"{share} the {name}" for share, name in shares[1:]]
    where = f"{plural(len(structure.layers), 'layer')} and {plural(len(structure.groups), 'group')}"
    return [
        Fact("Can be pruned", f"{100 * prunable_macs(structure):.1f} % of MACs", "What layers with filters take."),
        Fact("Smallest network", floor, f"Of the {ranking} ranking; it has {_listed(others)}."),
        Fact(
            "Units",
            f"{structure.n_units:,}",
            f"In {where}. A unit is the smallest set of channels that can be removed: always together, never in part.",
        ),
        proof,
    ]


def notes(structure: Structure) -> list[str]:
    """What the figures leave out, one sentence or two each."""
    found = (uncounted_note(structure.uncounted), unreached_note(structure.unprunable))
    return [note for note in found if note]


def reasons_of(structure: Structure) -> list[Reason]:
    """Why channels are unprunable or coupled; the reasons that concern most channels first."""
    return merge_reasons(structure.unprunable, structure.coupled)


def outputs_line(reasons: Sequence[Reason]) -> str | None:
    """A sentence on the model's outputs, which stay in every network; None where no reason names them."""
    n_outputs = sum(reason.channels for reason in reasons if _is_output(reason))
    return f"The {plural(n_outputs, 'output')} {'stays' if n_outputs == 1 else 'stay'}." if n_outputs else None


def reasons_table(reasons: Sequence[Reason], kind: str) -> pd.DataFrame:
    """Reasons of a kind, "unprunable" or "coupled", as a table; the model's outputs have a line of their own."""
    rows = [
        (reason.channels, reason.operation, reason.reason, reason.modules[0] or "the model", len(reason.modules))
        for reason in reasons
        if reason.kind == kind and not _is_output(reason)
    ]
    return pd.DataFrame(rows, columns=["Channels", "Operation", "Reason", "For example in", "Modules"])


def exception_lines(structure: Structure) -> list[str]:
    """A line for each kind that occurs: how many, the first names, and what it means."""
    kinds = (
        ("Norms over channels", structure.exempt, _OVER_CHANNELS),
        ("Parameters read in training mode only", structure.training_only, "They are cut along with the rest."),
        ("Parameters that are never read", structure.untouched, "They stay as they are."),
    )
    return [f"{kind} ({len(names)}): {_first(names)}. {meaning}" for kind, names, meaning in kinds if names]


def groups_table(structure: Structure) -> pd.DataFrame:
    """Every group, in order of execution.

    Returns:
        Columns group, macs_share in [0, 1], units, layers (how many), members (their names). Each layer's MACs are
        divided among its filters, so that a layer whose filters are in several groups does not count twice.
    """
    macs = original_layer_macs(structure)
    total, shares = sum(macs.values()) or 1, np.zeros(len(structure.groups))
    group_of = Footprints(structure).group_of
    for layer in structure.layers:
        filters = np.bincount(group_of[layer.labels[layer.labels > 0] - 1], minlength=len(shares))
        shares += filters / layer.total * macs.get(layer.parameter, 0) / total
    rows = [
        (group.name, share, len(group.units), len(group.layers), ", ".join(group.layers))
        for group, share in zip(structure.groups, shares.tolist(), strict=True)
    ]
    return safe_cells(pd.DataFrame(rows, columns=["group", "macs_share", "units", "layers", "members"]))


def _is_output(reason: Reason) -> bool:
    return reason.operation == "output"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more
