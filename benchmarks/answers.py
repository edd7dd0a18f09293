"""Seconds from a picture to what two networks predict: a process for every question, beside one that keeps networks.

    python -m benchmarks.answers [--repeats 5] [--out FILE]

In turns, so that both meet the same machine. Times are those that a page waits for, without the browser:

command         `python -m legr look`, as pages asked until they had such a process
first           the first question, which starts the process
picture         another picture: until the picture can be shown, and until it is answered
other budget    a network that is not loaded yet, and the same once it is
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.networks import NetworkProcess
from app.run_command import run_command
from legr.commands.questions import Question
from legr.files import write_json
from legr.ranking.limits import Budget
from legr.requests.measure import LookRequest
from legr.study.catalog import SAMPLES

SIDES = 480, 640  # of the pictures
BUDGETS = 0.3, 0.5


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, default=SAMPLES / "cifar10_resnet56")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rounds = [measured(options.study, Path(folder), number) for number in range(options.repeats)]
    medians = {name: statistics.median(times[name] for times in rounds) for name in rounds[0]}
    for name, seconds in medians.items():
        print(f"{name:<28} {seconds:7.3f} s   {medians['command'] / seconds:6.1f} times as fast as the command")
    if options.out:
        load = os.getloadavg()[0]
        write_json(options.out, {"study": options.study.name, "load": load, "medians": medians, "rounds": rounds})


def measured(study: Path, folder: Path, number: int) -> dict[str, float]:
    """One round: seconds of each way to ask."""
    networks, random = NetworkProcess(), np.random.default_rng(number)

    def picture(name: str) -> Path:
        Image.fromarray(random.integers(0, 256, (*SIDES, 3), dtype=np.uint8)).save(folder / name, "JPEG")
        return folder / name

    def ask(name: str, budget: float, show: Callable[[Any], None] = lambda picture: None) -> None:
        request = LookRequest(Budget(macs=budget)).to_dict()
        answer = networks.ask(Question(str(study), request, image=str(picture(name))), show)
        assert answer.result, answer.sentence

    def command() -> None:
        outcome = run_command(
            ["look", "--study", str(study), "--macs", f"{BUDGETS[0]}", "--image", str(picture("command")), "--json"]
        )
        assert outcome.ok, outcome.sentence

    shown: list[float] = []
    times = {"command": seconds(command), "first": seconds(lambda: ask("a", BUDGETS[0]))}
    times["other picture"] = seconds(lambda: ask("b", BUDGETS[0]))
    start = time.perf_counter()
    ask("c", BUDGETS[0], lambda picture: shown.append(time.perf_counter() - start))
    times["other picture, shown"] = shown[0]
    times["other budget"] = seconds(lambda: ask("d", BUDGETS[1]))
    times["that budget again"] = seconds(lambda: ask("e", BUDGETS[1]))
    times["first budget again"] = seconds(lambda: ask("f", BUDGETS[0]))
    if networks.pid:
        with suppress(ProcessLookupError):
            os.kill(networks.pid, 9)
    return times


def seconds(work: Callable[[], None]) -> float:
    """How long something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
