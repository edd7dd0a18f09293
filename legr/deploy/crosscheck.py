"""MACs as thop counts them: an independent number beside the project's own.

thop also counts norms and pools, so its number is a little larger.
"""

import copy
import logging

import torch
from torch import nn

log = logging.getLogger(__name__)


def thop_macs(model: nn.Module, input_shape: tuple[int, int, int]) -> int | None:
    """Count with thop on a copy (it leaves buffers behind); None where thop cannot run here."""
    try:
        from thop import profile  # imports distutils, which Python 3.12 has only through setuptools

        macs, _ = profile(copy.deepcopy(model).cpu().eval(), inputs=(torch.zeros(1, *input_shape),), verbose=False)
    except Exception as error:
        log.info("thop cannot count this model (%s)", error)
        return None
    return int(macs)
