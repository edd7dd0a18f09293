"""What a stored number says about its making: the command that makes it again, seed, seconds, machine.

It does not know what is made.
"""

import platform
import shlex
from collections.abc import Sequence
from typing import Any

import torch

from legr.training.compute import device_name


def made_by(command: Sequence[str], seconds: float, device: torch.device, seed: int | None = None) -> dict[str, Any]:
    """Describe a run.

    Args:
        command: arguments after `python -m legr`; a study by its folder's name, for no path of a machine is stored.
        seconds: that it took, the times before it was interrupted included.
        seed: None where nothing is drawn at random.
    """
    return {
        "command": shlex.join(["python", "-m", "legr", *command]),
        **({} if seed is None else {"seed": seed}),
        "seconds": round(seconds, 1),
        "machine": device_name(device),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
