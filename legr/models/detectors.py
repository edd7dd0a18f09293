"""Detectors as pruning needs them: everything a detector computes from an image, up to where values decide shapes.

A detector ends with non-maximum suppression: how many boxes come out depends on the image, and no trace of one
image holds for the next. What can be pruned lies before that end, so that is what `forward` runs.
"""

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["DetectorCore", "whole_model"]

BOXES_A_SIDE = 8  # the box head of a two-stage detector sees 8 x 8 boxes an image


class DetectorCore(nn.Module):
    """A torchvision detector whose forward returns the outputs of its heads, before any box is chosen.

    `core.detector([image])` is the whole detector: list of images in, boxes, labels and scores out. It holds the
    same parameters, so after pruning the core it is the pruned detector.

    Args:
        detector: a RetinaNet, SSD or FCOS (backbone, head), or a Faster R-CNN (backbone, rpn, roi_heads).
    """

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> Any:  # [N, 3, H, W], normalized -> tensors in dicts or tuples
        detector: Any = self.detector
        features = detector.backbone(images)
        maps = features if isinstance(features, dict) else {"0": features}
        if hasattr(detector, "head"):
            return detector.head(list(maps.values()))
        objectness, deltas = detector.rpn.head(list(maps.values()))
        heads, boxes = detector.roi_heads, spread_boxes(images)
        pooled = heads.box_roi_pool(maps, [boxes] * len(images), [tuple(images.shape[-2:])] * len(images))
        return objectness, deltas, *heads.box_predictor(heads.box_head(pooled))


def spread_boxes(images: Tensor) -> Tensor:  # [64, 4]: left, top, right, bottom
    """Boxes on a grid over the image, small and large in turn, so that every level of a pyramid is read.

    They stand in for the proposals: the box head computes the same for any box, and proposals depend on values.
    """
    height, width = images.shape[-2:]
    steps = (torch.arange(BOXES_A_SIDE, dtype=images.dtype, device=images.device) + 0.5) / BOXES_A_SIDE
    y, x = (grid.reshape(-1) for grid in torch.meshgrid(steps, steps, indexing="ij"))
    half = (torch.arange(BOXES_A_SIDE**2, device=images.device) % 4 + 1).to(images.dtype) / 8
    corners = ((x - half) * width, (y - half) * height, (x + half) * width, (y + half) * height)
    left, top, right, bottom = corners
    return torch.stack(
        (left.clamp(0, width), top.clamp(0, height), right.clamp(0, width), bottom.clamp(0, height)), dim=1
    )


def whole_model(model: nn.Module) -> nn.Module:
    """The module whose parameter names weight files from elsewhere use: the detector, or the model itself."""
    return model.detector if isinstance(model, DetectorCore) else model
