"""Set what the networks of a study look like, and say what is then within reach.

It does not know networks or images: no torch.
"""

from typing import Any

from legr.ranking.constraints import Constraints
from legr.study.store import Study


def set_constraints(study: Study, shape: Constraints) -> dict[str, Any]:
    """Store a shape, in place of the one before.

    Raises:
        SettingsError: the network has no such layer, or cannot have a pinned count.
        StudyError: the study is a sample.
    """
    study.save_constraints(shape)
    return show_constraints(study)


def show_constraints(study: Study) -> dict[str, Any]:
    """The shape of a study, and the smallest network that its default ranking reaches in it."""
    curve = study.curve()
    return {
        "study": study.info.name,
        "ranking": study.default_ranking,
        "shape": study.constraints.to_dict(),
        "words": study.constraints.words,
        "steps": len(curve.ranking.ends) - 1,
        "floors": curve.floors,
        "least": {"macs": int(curve.macs[-1]), "params": int(curve.params[-1])},
        "largest": {"macs": int(curve.macs[0]), "params": int(curve.params[0])},
    }
