"""Set the constraints of a study's networks, and say what is then within reach: no torch."""

from legr.commands.results import Reach, Size
from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import Constraints
from legr.ranking.limits import Budget
from legr.study.store import Study


def set_constraints(study: Study, constraints: Constraints, device_profile: str = "") -> Reach:
    """Store constraints, in place of those before.

    Args:
        device_profile: as for `show_constraints`.

    Raises:
        SettingsError: the network has no such layer, or cannot have a pinned count.
        StudyError: the study is a sample.
    """
    study.save_constraints(constraints)
    return show_constraints(study, device_profile)


def show_constraints(study: Study, device_profile: str = "") -> Reach:
    """The constraints of a study, and the smallest network that its default ranking reaches under them.

    Args:
        device_profile: name of the device whose milliseconds are told; "": none are.
    """
    curve, constraints = study.curve(budget=Budget(macs=1.0, device_profile=device_profile)), study.constraints
    return Reach(
        study=study.info.name,
        ranking=study.default_ranking,
        constraints=constraints,
        words=constraints.words,
        steps=len(curve.ranking.ends) - 1,
        floors=curve.floors,
        least=_size(curve, -1),
        largest=_size(curve, 0),
        uncounted=study.structure.uncounted,
    )


def _size(curve: BudgetCurve, step: int) -> Size:
    latency_ms = float(curve.latency[step]) if curve.device else None
    return Size(int(curve.macs[step]), int(curve.params[step]), latency_ms)
