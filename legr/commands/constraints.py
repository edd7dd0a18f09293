"""Set the constraints of a study's networks, and say what is then within reach: no torch."""

from legr.commands.results import Reach, Size
from legr.ranking.constraints import Constraints
from legr.study.store import Study


def set_constraints(study: Study, constraints: Constraints) -> Reach:
    """Store constraints, in place of those before.

    Raises:
        SettingsError: the network has no such layer, or cannot have a pinned count.
        StudyError: the study is a sample.
    """
    study.save_constraints(constraints)
    return show_constraints(study)


def show_constraints(study: Study) -> Reach:
    """The constraints of a study, and the smallest network that its default ranking reaches under them."""
    curve, constraints = study.curve(), study.constraints
    return Reach(
        study=study.info.name,
        ranking=study.default_ranking,
        constraints=constraints,
        words=constraints.words,
        steps=len(curve.ranking.ends) - 1,
        floors=curve.floors,
        least=Size(int(curve.macs[-1]), int(curve.params[-1])),
        largest=Size(int(curve.macs[0]), int(curve.params[0])),
        uncounted=study.structure.uncounted,
    )
