"""Detectors and segmentation: traced up to where values decide shapes, and whole detectors after pruning."""

from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

import legr
from legr.models.detectors import spread_boxes, whole_model
from legr.models.zoo import build_model, find_spec
from legr.structure.kept_sets import separating_kept_sets

DETECTORS = [
    "ssdlite320_mobilenet_v3_large",
    pytest.param("fasterrcnn_mobilenet_v3_large_320_fpn", marks=pytest.mark.thorough),
]


@cache
def traced(name: str) -> tuple[nn.Module, legr.Structure]:
    model = build_model(name, 5)
    return model, legr.trace(model, torch.zeros(1, *find_spec(name).input_shape))


@pytest.mark.slow
@pytest.mark.parametrize("name", DETECTORS)
def test_a_pruned_core_is_the_pruned_detector(name: str) -> None:
    model, structure = traced(name)
    smaller = legr.prune(model, structure, next(separating_kept_sets(structure)))
    detector = whole_model(smaller)
    assert sum(p.numel() for p in detector.parameters()) < sum(p.numel() for p in model.parameters())
    with torch.inference_mode():
        for found in (whole_model(model)([torch.rand(3, 90, 120)]), detector([torch.rand(3, 90, 120)])):
            assert set(found[0]) == {"boxes", "labels", "scores"}


def test_the_core_says_what_the_heads_of_the_detector_say() -> None:
    model = build_model("ssdlite320_mobilenet_v3_large", 4)
    detector, said = whole_model(model), {}
    detector.head.register_forward_hook(lambda head, args, output: said.update(output))
    with torch.inference_mode():
        images, _ = detector.transform([torch.rand(3, 320, 320)])
        detector([torch.rand(3, 320, 320)])
        assert set(said) == {"cls_logits", "bbox_regression"}
        found = model(images.tensors)
    assert found["cls_logits"].shape == said["cls_logits"].shape == (1, 3234, 4)


@pytest.mark.slow
def test_the_box_head_is_part_of_what_is_traced() -> None:
    _, structure = traced("fasterrcnn_mobilenet_v3_large_320_fpn")
    names = {layer.name for layer in structure.layers}
    assert {"detector.roi_heads.box_head.fc6", "detector.rpn.head.conv.0.0"} <= names
    assert "detector.roi_heads.box_predictor.cls_score.weight" not in structure.untouched


def test_boxes_lie_in_the_image_and_differ_in_size() -> None:
    boxes = spread_boxes(torch.zeros(2, 3, 96, 160)).numpy()
    assert boxes.shape == (64, 4)
    assert boxes.min() >= 0 and boxes[:, 2].max() <= 160 and boxes[:, 3].max() <= 96
    widths = boxes[:, 2] - boxes[:, 0]
    assert widths.min() > 0 and (boxes[:, 3] > boxes[:, 1]).all()
    assert len(np.unique(widths.round(3))) >= 4


def test_segmentation_returns_its_dict() -> None:
    model = build_model("lraspp_mobilenet_v3_large", 4)
    assert find_spec("lraspp_mobilenet_v3_large").dense
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, 64, 96))["out"].shape == (1, 4, 64, 96)
