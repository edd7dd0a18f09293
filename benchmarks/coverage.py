"""What can be pruned of every architecture, proved: `python -m benchmarks.coverage [NAME[@SIZE] …] [--timm] [--json]`.

Every model runs in a process of its own; a row says its removable units, the
share of its MACs that pruning reaches, how long tracing and the proof took, the memory that tracing needed
beyond the model's weights, the error of zeroed = removed, and for how many of 20 random budgets the built
network cost what was predicted, to the unit: MACs, parameters, activation memory. Ends with 1 if a model fails.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch

import legr
from legr.models.zoo import build_model, find_spec
from legr.structure.counters import count
from legr.structure.unprunable import prunable_macs

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
BUDGETS = 20


def measure(name: str) -> dict[str, Any]:
    """Trace, prove and count one model in this process."""
    name, _, size = name.partition("@")
    spec = find_spec(name)
    model = build_model(spec, spec.num_classes)
    channels, height, width = spec.input_shape
    side = int(size) if size else SIZES.get(name, min(height, SMALL))
    image = torch.zeros(1, channels, side, side if height == width else width)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    structure = legr.trace(model, image)
    traced = time.perf_counter()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    error = legr.verify(model, structure, image)
    verified = time.perf_counter()
    exact, of = _exact_budgets(model, structure, image)
    return {
        "model": name,
        "input": "x".join(map(str, image.shape)),
        "units": structure.n_units,
        "prunable_macs": prunable_macs(structure),
        "trace_seconds": traced - start,
        "trace_megabytes": grown * 1024 / 1e6,
        "weight_megabytes": 4e-6 * legr.cost(structure, legr.Keep(np.ones(structure.n_units, dtype=bool))).params,
        "verify_seconds": verified - traced,
        "self_check": error,
        "exact_budgets": exact,
        "budgets": of,
        "held": sorted({(r.operation, r.reason) for r in structure.unprunable if r.operation != "output"}),
        "tied": sorted({(r.operation, r.reason) for r in structure.coupled}),
        "exempt": len(structure.exempt),
        "untouched": list(structure.untouched),
    }


def _exact_budgets(model: torch.nn.Module, structure: legr.Structure, image: torch.Tensor) -> tuple[int, int]:
    """For how many random budgets the built network costs exactly what the curve says."""
    if not structure.n_units:
        return 0, 0
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    budgets = np.random.default_rng(0).uniform(curve.floor, 1, BUDGETS)
    exact = 0
    for budget in budgets.tolist():
        step = curve.step(macs=budget)
        predicted = legr.Cost(int(curve.macs[step]), int(curve.params[step]), int(curve.activation[step]))
        exact += count(legr.prune(model, structure, curve.keep(step)), image) == predicted
    return exact, BUDGETS


def main() -> int:
    """Run every model in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="models; by default all of torchvision's kinds and our own")
    parser.add_argument("--timm", action="store_true", help="timm's families instead (timm must be installed)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.names[0])))
        return 0
    names = options.names or (TIMM if options.timm else (*OWN, *CLASSIFIERS, *TRANSFORMERS, *DENSE))
    if not options.json:
        print(f"{'model':<40}{'units':>7}{'prunable':>9}{'trace':>8}{'memory':>9}{'proof':>9}{'error':>9}{'exact':>8}")
    failed = 0
    for name in names:
        command = [sys.executable, "-m", "benchmarks.coverage", "--one", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            failed += 1
            print(f"{name:<40} FAILED: {done.stderr.strip().splitlines()[-1]}", flush=True)
            continue
        row = json.loads(done.stdout.splitlines()[-1])
        right = row["self_check"] < 1e-9 and row["exact_budgets"] == row["budgets"]
        failed += not right
        print(json.dumps(row) if options.json else _line(row) + ("" if right else "  WRONG"), flush=True)
    print(f"{len(names) - failed} of {len(names)} models are exact", file=sys.stderr)
    return 1 if failed else 0


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['model']:<40}{row['units']:>7}{100 * row['prunable_macs']:>8.1f}%{row['trace_seconds']:>7.1f}s"
        f"{row['trace_megabytes']:>6.0f} MB{row['verify_seconds']:>8.1f}s{row['self_check']:>9.0e}"
        f"{row['exact_budgets']:>5}/{row['budgets']}"
    )


if __name__ == "__main__":
    sys.exit(main())
