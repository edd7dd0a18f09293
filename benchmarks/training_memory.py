"""What a step of training gains by keeping freed memory, and by narrow batch norms in rows: in turns, in processes.

    python -m benchmarks.training_memory [--turns 3]

A step is forward and backward of the networks of `benchmarks.supernet_step`, 128 random images, in the type that the
processor is fastest in, one thread.
"""

import argparse
import statistics
import subprocess
import sys

import torch

from benchmarks import supernet_step
from legr.allocation import keep_freed_memory
from legr.training.device import fast_dtype, machine_name
from legr.training.fast_batch_norm import compute_fast

NETWORK, STEPS = "cifar_resnet20", 5
WAYS = {"as PyTorch does": (), "memory kept": ("memory",), "and norms in rows": ("memory", "rows")}


def step(parts: list[str]) -> float:
    """Median seconds of a step in this process."""
    torch.set_num_threads(1)
    if "memory" in parts and not keep_freed_memory():
        raise SystemExit("this C library keeps no memory: it is not glibc")
    networks, inputs = supernet_step.networks_alone(NETWORK)
    if "rows" in parts:
        for network in networks:
            compute_fast(network)
    run = supernet_step.steps_alone(networks, inputs)
    return supernet_step.in_turns({"step": run}, STEPS)["step"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--parts", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.parts is not None:
        print(step(arguments.parts))
        return
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(arguments.turns):
        for way, parts in WAYS.items():
            command = [sys.executable, "-m", "benchmarks.training_memory", "--parts", *parts]
            seconds[way].append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    cpu = torch.device("cpu")
    print(f"{NETWORK}, {machine_name(cpu)}, {fast_dtype(cpu)}, PyTorch {torch.__version__!s}")
    for way, taken in seconds.items():
        print(f"{way}: {1000 * statistics.median(taken):.0f} ms a step ({min(taken):.3f} to {max(taken):.3f} s)")


if __name__ == "__main__":
    main()
