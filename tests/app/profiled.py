"""A profile for studies of tests: made-up times of real layers, on a device that likes multiples of eight."""

import numpy as np
import onnxruntime

from legr.machine import processor_name
from legr.structure.latency import Fit, LatencyTable, LayerTimes, Size, TimedLayer
from legr.study.device_profile import DeviceProfile, MeasuredMultiple, MeasuredNetwork, stored, write_profile
from legr.study.latency import Conditions
from legr.study.store import Study

EAGER = Conditions("PyTorch 2.14.1", "cpu", threads=1, batch=1, machine="A board")
BOARD = Conditions("ONNX Runtime 1.31", "cpu", threads=1, batch=1, machine="A board")
HERE = Conditions(f"ONNX Runtime {onnxruntime.__version__}", "cpu", threads=1, batch=1, machine=processor_name())
QUANTUM = 8


def add_profile(
    study: Study, conditions: Conditions = BOARD, *, name: str = "board", contended: bool = False
) -> DeviceProfile:
    """Give a study a profile. A layer of n filters takes 1 + n / 100 ms, and twice that where n is no multiple of 8."""
    times, layers = [], []
    for layer in study.structure.layers:
        points = np.arange(1, layer.total + 1)
        milliseconds = (1 + points / 100) * np.where(points % QUANTUM, 2, 1)
        times.append(LayerTimes((points,), milliseconds, QUANTUM))
        size = Size(study.structure.vector_index[layer.labels.tobytes()], layer.total, layer.total)
        layers.append(TimedLayer(layer.name, len(layers), (size,), layer.parameter))
    table = LatencyTable(tuple(layers), tuple(times), (), QUANTUM, Fit(0.1, 0.0, 0.0))
    profile = stored(
        name,
        conditions,
        study.structure,
        table,
        networks=(MeasuredNetwork(0.5, 2.0, 2.1),),
        multiples=(MeasuredMultiple(1, 3.0), MeasuredMultiple(8, 2.0)),
        seconds=40.0,
        contended=contended,
    )
    write_profile(study, profile)
    return profile
