"""Set what the networks of a study look like, and say what is then within reach.

It does not know networks or images: no torch.
"""

from typing import Any

from legr.ranking.shape import Shape
from legr.study.store import Study


def set_shape(study: Study, shape: Shape) -> dict[str, Any]:
    """Store a shape, in place of the one before.

    Raises:
        SettingsError: the network has no such layer, or cannot have a pinned count.
        StudyError: the study is a sample.
    """
    study.save_shape(shape)
    return show_shape(study)


def show_shape(study: Study) -> dict[str, Any]:
    """The shape of a study, and the smallest network that its default ranking reaches in it."""
    curve = study.curve()
    return {
        "study": study.info.name,
        "ranking": study.default_ranking,
        "shape": study.shape.to_dict(),
        "words": study.shape.words,
        "steps": len(curve.ranking.ends) - 1,
        "floors": curve.floors,
        "least": {"macs": int(curve.macs[-1]), "params": int(curve.params[-1])},
        "largest": {"macs": int(curve.macs[0]), "params": int(curve.params[0])},
    }
