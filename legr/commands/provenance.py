"""What a stored number says about its making: the command that makes it again, seed, seconds, machine.

It does not know what is made.
"""

import json
import platform
import shlex
from collections.abc import Sequence
from typing import Any, Literal

import torch

from legr.models.weights import WeightsInfo
from legr.study.provenance import Provenance
from legr.training.device import device_name


def provenance_of(command: Sequence[str], seconds: float, device: torch.device, seed: int | None = None) -> Provenance:
    """Describe a run.

    Args:
        command: arguments after `python -m legr`; a study by its folder's name, for no path of a machine is stored.
        seconds: that it took, the times before it was interrupted included.
        seed: None where nothing is drawn at random.
    """
    return Provenance(
        command=shlex.join(["python", "-m", "legr", *command]),
        seed=seed,
        seconds=round(seconds, 1),
        machine=device_name(device),
        torch=torch.__version__,
        python=platform.python_version(),
    )


def made_of(weights: WeightsInfo) -> dict[str, Any] | None:
    """What the header of a weights file tells of their making; None where nobody wrote it."""
    try:
        made = json.loads(weights.metadata["made"])
    except (KeyError, ValueError):
        return None
    return made if isinstance(made, dict) else None


def origin_of(weights: WeightsInfo, data: str, split_seed: int) -> Literal["legr", "elsewhere"]:
    """Weights that this program trained say on which split; any other may have seen the held-out images.

    Args:
        data: fingerprint of the images whose held-out part is asked about.
    """
    said = weights.metadata.get("data"), weights.metadata.get("split_seed")
    own = weights.metadata.get("made_by") == "legr" and said == (data, str(split_seed))
    return "legr" if own else "elsewhere"
