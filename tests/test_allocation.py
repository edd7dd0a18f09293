"""Memory that is freed stays with the process: the next tensors need no fresh pages."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from legr.allocation import keep_freed_memory

kept = keep_freed_memory() if sys.argv[1] == "kept" else None
images = torch.zeros(2**21)  # 8 MiB

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        several = [torch.relu(images) for _ in range(8)]  # as the activations of a step
        del several
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(kept, faults())
"""


def faults_of(how: str) -> tuple[str, int]:
    command = [sys.executable, "-c", FAULTS, how]
    kept, faults = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.split()
    return kept, int(faults)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is there on Linux alone")
def test_freed_memory_is_used_again() -> None:
    kept, faults = faults_of("kept")
    if kept == "False":
        pytest.skip("the C library is not glibc")
    assert 10 * faults <= faults_of("not kept")[1]  # none, where something else keeps the heap from being given back
