"""The loss of a network in training: labels, a teacher's logits, and auxiliary heads.

Shapes: B images of a batch.
"""

from torch import Tensor
from torch.nn import functional as F

from legr.training.settings import TrainSettings


def loss_of(
    outputs: Tensor | tuple[Tensor | None, ...], labels: Tensor, teacher_logits: Tensor | None, settings: TrainSettings
) -> Tensor:
    """Loss of what a network in training mode returns.

    Args:
        outputs: logits, float[B, classes], or a tuple of these and those of auxiliary heads.
        labels: int64[B].
        teacher_logits: float32[B, classes]; None learns from labels alone.
    """
    logits, *auxiliary = outputs if isinstance(outputs, tuple) else (outputs,)
    assert logits is not None
    return _main_loss(logits.float(), labels, teacher_logits, settings) + _auxiliary_loss(auxiliary, labels)


def _main_loss(logits: Tensor, labels: Tensor, teacher_logits: Tensor | None, settings: TrainSettings) -> Tensor:
    """Cross-entropy, mixed with the divergence from the teacher's softened outputs (Hinton et al., 2015)."""
    hard = F.cross_entropy(logits, labels, label_smoothing=settings.smoothing)
    if teacher_logits is None:
        return hard
    t = settings.temperature
    learned, target = F.log_softmax(logits / t, 1), F.log_softmax(teacher_logits / t, 1)
    soft = F.kl_div(learned, target, reduction="batchmean", log_target=True)
    return (1 - settings.teacher_weight) * hard + settings.teacher_weight * t * t * soft


def _auxiliary_loss(outputs: list[Tensor | None], labels: Tensor) -> Tensor | float:
    """Loss of heads that only training has: two weigh 0.3 each (GoogLeNet), one 0.4 (Inception v3)."""
    heads = [F.cross_entropy(logits.float(), labels) for logits in outputs if logits is not None]
    return (0.3 if len(heads) > 1 else 0.4) * sum(heads)
