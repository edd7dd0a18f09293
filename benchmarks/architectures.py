"""Architectures by name, and how a script goes through them: each is looked at in a process of its own."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from legr.data.encoded import ImageShape
from legr.models.zoo import build_model, find_spec

SMALL = 64  # pixels a side: what a model is traced with unless it needs more
SIZES = {
    **dict.fromkeys(("alexnet", "googlenet", "inception_v3"), 96),
    **dict.fromkeys(("deeplabv3_resnet50", "fcn_resnet50", "lraspp_mobilenet_v3_large"), 96),
    **dict.fromkeys(("retinanet_resnet50_fpn", "fasterrcnn_mobilenet_v3_large_320_fpn"), 128),
    "ssdlite320_mobilenet_v3_large": 320,
    **dict.fromkeys(("vit_b_16", "maxvit_t"), 224),
}
OWN = ("cifar_resnet20", "cifar_resnet56", "cifar_vgg16_bn", "cifar_mobilenet_v2")
CLASSIFIERS = (
    *("alexnet", "vgg11", "vgg11_bn", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19_bn"),
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    *("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"),
    *("squeezenet1_0", "squeezenet1_1", "densenet121", "densenet161", "densenet169", "densenet201"),
    *("googlenet", "inception_v3"),
    *("shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0"),
    *("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"),
    *("mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3"),
    *(f"efficientnet_b{n}" for n in range(8)),
    *("efficientnet_v2_s", "efficientnet_v2_m", "efficientnet_v2_l"),
    *(f"regnet_{kind}_{size}" for kind in "xy" for size in ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")),
    *("convnext_tiny", "convnext_small", "convnext_base", "convnext_large"),
)
TRANSFORMERS = ("vit_b_16", "swin_t", "swin_v2_t", "maxvit_t")
DENSE = (
    *("ssdlite320_mobilenet_v3_large", "retinanet_resnet50_fpn", "fasterrcnn_mobilenet_v3_large_320_fpn"),
    *("lraspp_mobilenet_v3_large", "deeplabv3_resnet50", "fcn_resnet50"),
)
TIMM = tuple(
    f"timm:{name}"
    for name in (
        *(
            "resnet26d",
            "resnetv2_50",
            "seresnet50",
            "ecaresnet50d",
            "resnest14d",
            "res2net50_26w_4s",
            "hrnet_w18_small",
        ),
        *("dla34", "darknet53", "cspresnet50", "repvgg_a2", "regnety_002", "efficientnet_lite0", "ghostnet_100"),
        *("mobilenetv4_conv_small", "tf_efficientnetv2_b0", "convnextv2_atto", "vgg11_bn", "densenet121", "nfnet_f0"),
        *("inception_next_atto", "fasternet_t0", "mobileone_s0", "dpn68", "xception41", "hardcorenas_a", "fbnetc_100"),
    )
)
ALL = (*OWN, *CLASSIFIERS, *TRANSFORMERS, *DENSE)

Row = dict[str, Any]  # what a script says about one architecture, as plain data


def shape_of(name: str, largest: int | None = SMALL) -> tuple[str, ImageShape]:
    """An architecture's name and the shape of its images, from a name with or without a size, such as vgg16@224.

    Args:
        largest: pixels a side that it is given where no size is named and it needs no more; None: its own.
    """
    name, _, size = name.partition("@")
    channels, height, width = find_spec(name).input_shape
    usual = height if largest is None else min(height, largest)
    side = int(size) if size else SIZES.get(name, usual)
    return name, (channels, side, side if height == width else width)


def build(name: str) -> nn.Module:
    """An architecture with random weights; the same name gives the same network."""
    spec = find_spec(name)
    torch.manual_seed(0)
    return build_model(spec, spec.num_classes)


@dataclass(frozen=True)
class Survey:
    """A script that says something about every architecture.

    Attributes:
        module: whose it is, such as "benchmarks.coverage".
        about: its docstring.
        names: that it goes through where none is named.
        heading: of the table.
    """

    module: str
    about: str | None
    names: Sequence[str]
    measure: Callable[[str], Row]  # one architecture, in this process
    line: Callable[[Row], str]
    is_right: Callable[[Row], bool]
    heading: str = ""

    def run(self) -> int:
        """Go through the architectures and print the table; 1 if one fails or is not right."""
        parser = argparse.ArgumentParser(description=self.about)
        parser.add_argument("names", nargs="*", help=f"models; by default the {len(self.names)} of the script")
        parser.add_argument("--timm", action="store_true", help="timm's families instead (timm must be installed)")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
        options = parser.parse_args()
        if options.one:
            print(json.dumps(self.measure(options.names[0])))
            return 0
        names = options.names or (TIMM if options.timm else self.names)
        if self.heading and not options.json:
            print(self.heading)
        right = sum(self._tell(name, as_json=options.json) for name in names)
        print(f"{right} of {len(names)} models are right", file=sys.stderr)
        return 0 if right == len(names) else 1

    def _tell(self, name: str, *, as_json: bool) -> bool:
        """Print the row of an architecture; whether it is right."""
        command = [sys.executable, "-m", self.module, "--one", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
            print(f"{name:<40} FAILED: {said[-1]}", flush=True)
            return False
        row = json.loads(done.stdout.splitlines()[-1])
        right = self.is_right(row)
        print(json.dumps(row) if as_json else self.line(row) + ("" if right else "  WRONG"), flush=True)
        return right
