"""Which batch-norm statistics a candidate is scored with.

It does not know candidates. Stale statistics of the unpruned network would rank candidates by noise: at 47 %
of the MACs a ResNet-56 scores 27 % with them and 77 % with its own.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from legr.study.records import Statistics
from legr.training.evaluate import with_statistics_of


def set_statistics(network: nn.Module, kind: Statistics, calibration: Sequence[Tensor] = ()) -> nn.Module:
    """Put a network in evaluation mode with batch norms that use the statistics of a kind.

    Args:
        kind: "batch": of the batch at hand; "recalibrated": of `calibration`; "stale": those it has (LeGR's code).
        calibration: batches of inputs; each one counts the same.
    """
    if kind == "recalibrated":
        return with_statistics_of(network, calibration)
    network.eval()
    if kind == "batch":
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.track_running_stats = False
                module.running_mean = module.running_var = None
    return network
