"""Where stored numbers and weights come from."""

import json
import platform
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch

from legr.models.weights import WeightsInfo
from legr.schema import SchemaError, parse
from legr.study.provenance import Provenance
from legr.training.device import device_name


def provenance_of(command: Sequence[str], seconds: float, device: torch.device, seed: int | None = None) -> Provenance:
    """Describe a run on this machine.

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


def weights_header(data: str, provenance: Provenance) -> dict[str, str]:
    """What the header of a weights file says about their training; `stated_training` reads it back.

    Args:
        data: fingerprint of the images.
    """
    return {"made_by": "legr", "data": data, "made": json.dumps(provenance.to_dict())}


def stated_training(weights: WeightsInfo) -> Mapping[str, Any] | None:
    """What the header of a weights file says about their training, as it stands there; None where nothing."""
    try:
        return parse(weights.metadata["made"], dict[str, Any])
    except (KeyError, SchemaError):
        return None


def origin_of(weights: WeightsInfo, data: str, split_seed: int) -> Literal["legr", "elsewhere"]:
    """Tell weights that never saw the held-out images of a split from all others.

    Weights that this program trained name their images and split in their header.

    Args:
        data: fingerprint of the images.
    """
    header = weights.metadata
    same_split = (header.get("data"), header.get("split_seed")) == (data, str(split_seed))
    return "legr" if header.get("made_by") == "legr" and same_split else "elsewhere"
