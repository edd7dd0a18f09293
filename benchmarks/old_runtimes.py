"""Exported files in runtimes of earlier years: `python -m benchmarks.old_runtimes --python PYTHON … [NAME[@SIZE] …]`.

Every network is pruned to half its MACs and exported as `legr export` does, and each PYTHON, which has an `onnxruntime`
of its own, runs the files. A row says the opset and the IR version of the file as it is by default, and the
largest difference of any output to PyTorch's, over four images and all kinds of files: for one image, for any number,
and with bytes as input; beside it, the same for the lowest opset that `--opset` takes for this network.
"""

import argparse
import json
import subprocess
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

import legr
from legr.data.normalization import IMAGENET_NORMALIZATION, Preprocess
from legr.deploy.export import INPUT, OUTPUT, export_onnx
from legr.deploy.onnx_file import OnnxSettings, OnnxVersion, hand_out
from legr.deploy.picture_input import fed, picture_input
from legr.errors import ExportError
from legr.models.zoo import build_model
from legr.requests.ranges import OPSET

NETWORKS = (
    *("cifar_resnet20@32", "cifar_resnet56@32", "mobilenet_v2@64", "mobilenet_v3_small@64", "efficientnet_b0@64"),
    *("shufflenet_v2_x0_5@64", "convnext_tiny@64", "vit_b_16@224"),
)
KINDS: Mapping[str, tuple[int | None, Preprocess]] = {
    "one": (1, "none"),
    "any number": (None, "none"),
    "bytes": (1, "uint8"),
}
CLASSES, IMAGES = 10, 4
#: What the other interpreter runs: the version of its runtime, and every output or error, by file.
RUN = """
import json, sys, numpy as np, onnxruntime
found = {"version": onnxruntime.__version__}
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
for file in sys.argv[1:]:
    try:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        images = np.load(file + ".npy")
        size = session.get_inputs()[0].shape[0]
        parts = [images] if isinstance(size, str) else [images[n:n + size] for n in range(0, len(images), size)]
        found[file] = np.concatenate([session.run(None, {"images": part})[0] for part in parts]).tolist()
    except Exception as error:
        found[file] = str(error)[:200]
print(json.dumps(found))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", required=True, help="an interpreter that has an onnxruntime")
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for line in rows(arguments.networks, arguments.python):
        print(line, flush=True)


def rows(networks: list[str], pythons: list[str]) -> Iterator[str]:
    """A table in Markdown, one row a network."""
    for number, named in enumerate(networks):
        name, _, side = named.partition("@")
        with tempfile.TemporaryDirectory() as folder:
            expected, default, lowest = write_files(Path(folder), name, int(side or 224))
            found = [run(python, Path(folder)) for python in pythons]
        if not number:
            versions = " | ".join(f"ONNX Runtime {answers['version']}" for answers in found)
            yield f"| network | opset, IR | {versions} | lowest opset, IR | {versions} |"
            yield "|---" * (3 + 2 * len(pythons)) + "|"
        cells = [" | ".join(worst(answers, prefix, expected) for answers in found) for prefix in ("default", "lowest")]
        yield f"| {name} | {default.opset}, {default.ir} | {cells[0]} | {lowest.opset}, {lowest.ir} | {cells[1]} |"


def write_files(folder: Path, name: str, side: int) -> tuple[np.ndarray, OnnxVersion, OnnxVersion]:
    """Write the files of a network and their inputs; return what PyTorch answers, and the versions of the files."""
    torch.manual_seed(zlib.crc32(name.encode()))
    shape = (3, side, side)
    model = build_model(name, CLASSES).eval()
    for parameter in model.parameters():
        if parameter.dim() == 2 and not parameter.any():  # a head that begins at zero would hide every difference
            torch.nn.init.normal_(parameter, std=0.02)
    structure = legr.trace(model, torch.zeros(1, *shape))
    ranking = legr.rank(structure, legr.filter_norms(model, structure))
    network = legr.prune(model, structure, legr.BudgetCurve(structure, ranking).at(macs=0.5)).eval()
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape), dtype=np.uint8)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_NORMALIZATION.mean, IMAGENET_NORMALIZATION.std))
    inputs = (torch.from_numpy(images) / 255 - mean) / std
    with torch.inference_mode():
        expected = network(inputs).numpy()
    export_onnx(network, shape, folder / "written")
    versions = {}
    for prefix, opsets in (("default", [None]), ("lowest", list(range(OPSET.low, OPSET.high + 1)))):
        for kind, (batch, preprocess) in KINDS.items():
            file = folder / f"{prefix} {kind}.onnx"
            about = picture_input(
                (INPUT, OUTPUT), shape, ("",) * CLASSES, IMAGENET_NORMALIZATION, preprocess=preprocess, batch=batch
            )
            for opset in opsets:
                file.write_bytes((folder / "written").read_bytes())
                try:
                    settings = OnnxSettings(opset, batch, preprocess)
                    versions[prefix, kind] = hand_out(file, settings, IMAGENET_NORMALIZATION, about)
                    break
                except ExportError:
                    continue
            np.save(f"{file}.npy", fed(images, inputs.numpy(), preprocess))
    return expected, versions["default", "one"], versions["lowest", "one"]


def run(python: str, folder: Path) -> dict[str, object]:
    """What another interpreter finds, by the names of the files; `version` is its runtime's."""
    files = sorted(map(str, folder.glob("*.onnx")))
    done = subprocess.run([python, "-c", RUN, *files], capture_output=True, text=True, check=True)
    return {Path(file).name: answers for file, answers in json.loads(done.stdout).items()}


def worst(found: dict[str, object], prefix: str, expected: np.ndarray) -> str:
    """The largest difference over all kinds of files, or what went wrong."""
    differences = []
    for kind in KINDS:
        answers = found[f"{prefix} {kind}.onnx"]
        if isinstance(answers, str):
            return f"{kind}: {answers}"
        differences.append(float(np.abs(np.array(answers) - expected).max() / np.abs(expected).max()))
    return f"{max(differences):.0e}"


if __name__ == "__main__":
    main()
