"""What a network in training is told: labels, a teacher's answers, and what its further heads add.

It does not know data, schedules or who teaches.
"""

from torch import Tensor
from torch.nn import functional as F

from legr.training.settings import TrainSettings


def loss_of(
    outputs: Tensor | tuple[Tensor | None, ...], labels: Tensor, taught: Tensor | None, settings: TrainSettings
) -> Tensor:
    """Loss of what a network in training mode returns: logits (B, classes), or these and those of further heads.

    Args:
        taught: the teacher's logits; None: labels alone.
    """
    logits, *further = outputs if isinstance(outputs, tuple) else (outputs,)
    assert logits is not None
    return _main_loss(logits.float(), labels, taught, settings) + _further_loss(further, labels)


def _main_loss(logits: Tensor, labels: Tensor, taught: Tensor | None, settings: TrainSettings) -> Tensor:
    """Cross-entropy, mixed with the divergence from the teacher's softened outputs (Hinton et al., 2015)."""
    hard = F.cross_entropy(logits, labels, label_smoothing=settings.smoothing)
    if taught is None:
        return hard
    t = settings.temperature
    soft = F.kl_div(F.log_softmax(logits / t, 1), F.log_softmax(taught / t, 1), reduction="batchmean", log_target=True)
    return (1 - settings.teacher_weight) * hard + settings.teacher_weight * t * t * soft


def _further_loss(outputs: list[Tensor | None], labels: Tensor) -> Tensor | float:
    """What heads that only training has add: two weigh 0.3 each (GoogLeNet), one 0.4 (Inception v3)."""
    heads = [F.cross_entropy(logits.float(), labels) for logits in outputs if logits is not None]
    return (0.3 if len(heads) > 1 else 0.4) * sum(heads)
