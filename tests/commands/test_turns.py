"""Times of many networks: taken in turns, taken again where they vary, and marked where they still do."""

from dataclasses import asdict

import numpy as np
import pytest

from legr.commands.timing import in_turns
from legr.deploy.contention import Contention
from legr.deploy.latency import is_steady, latency_of
from legr.progress import Progress
from legr.structure.types import Keep
from legr.study.latency import Conditions, Latency

HERE = Conditions("ONNX Runtime 1", "cpu", 1, 1, "Robot")
KEEPS = {name: Keep(np.array([True, name == "whole"])) for name in ("whole", "half")}


def test_the_median_and_the_quartiles_by_hand() -> None:
    found = latency_of([0.001, 0.005, 0.002, 0.004, 0.003], Contention(), HERE)
    assert (found.milliseconds, found.quartiles, found.unsteady) == (3.0, (2.0, 4.0), True)
    assert is_steady([0.95, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0])  # both ends are outside of the quartiles
    assert is_steady([0.9375, 1.0, 1.03125]) and not is_steady([0.9375, 0.9375, 1.0, 1.0625, 1.0625])  # 0.047, 0.125


def test_a_latency_is_read_back_and_one_of_an_earlier_version_stays_as_it_was() -> None:
    found = Latency(3.0, **asdict(HERE), quartiles=(2.0, 4.0), unsteady=True)
    assert Latency.from_dict(found.to_dict()) == found and found.doubtful
    earlier = Latency(3.0, **asdict(HERE)).to_dict()
    assert list(earlier) == ["milliseconds", "runtime", "device", "threads", "batch", "machine", "hindered"]
    assert Latency.from_dict(earlier) == Latency(3.0, **asdict(HERE)) and not Latency.from_dict(earlier).doubtful


@pytest.mark.parametrize(
    ("slow", "further", "milliseconds", "unsteady"),
    [
        ({1: [0.003] * 4, 3: [0.003] * 4}, 1, 2.0, False),  # 8 of 20 runs, and then 4
        ({turn: [0.002, 0.003, 0.002, 0.003] for turn in range(15)}, 10, 2.5, True),
    ],
)
def test_a_network_whose_times_vary_is_timed_again_and_its_shortest_turns_count(
    slow: dict[int, list[float]], further: int, milliseconds: float, unsteady: bool
) -> None:
    asked: list[str] = []
    said: list[Progress] = []

    def timer(keep: Keep) -> list[float]:
        name = "whole" if keep.units.all() else "half"
        asked.append(name)
        return [0.004] * 4 if name == "whole" else slow.get(asked.count("half") - 1, [0.002] * 4)

    found = in_turns(timer, KEEPS, HERE, said.append)
    assert asked == ["whole", "half"] * 5 + ["half"] * further
    assert (found["whole"].milliseconds, found["whole"].quartiles, found["whole"].unsteady) == (4.0, (4.0, 4.0), False)
    assert (found["half"].milliseconds, found["half"].unsteady) == (milliseconds, unsteady)
    assert said[-1] == Progress("timing again what varied", further, 10)
