"""A profile of a device whose milliseconds can be worked out: channels are taken so many at a time."""

import numpy as np

from legr.structure.latency import Fit, LatencyTable, LayerTimes, Size, TimedLayer
from legr.structure.types import Structure
from legr.study.device_profile import DeviceProfile, MeasuredMultiple, stored, write_profile
from legr.study.latency import Conditions
from legr.study.store import Study

CONDITIONS = Conditions("ONNX Runtime 1.30", "cpu", 1, 1, "a board")


def table_of(structure: Structure, lanes: int = 8) -> LatencyTable:
    """Every layer takes a microsecond for each pair of an output and an input lane, and half a lane more for odd ends.

    Every number of channels is in the table, so nothing is interpolated.
    """
    layers, times = [], []
    for op in structure.ops:
        if op.parameter is None:
            continue
        sizes, axes, fixed = [], [], 1.0
        for dim in (op.out_dim, op.in_dim):
            axis = structure.axis_of.get((op.parameter, dim))
            if axis is None:
                fixed *= structure.shapes[op.parameter][dim] / lanes
                continue
            total = len(axis.labels)
            sizes.append(Size(structure.vector_index[axis.labels.tobytes()], total, total))
            axes.append(np.arange(1, total + 1))
        taken = [-(-axis // lanes) + 0.5 * (axis % lanes > 0) for axis in axes]
        milliseconds = np.asarray(1e-3 * fixed * (np.multiply.outer(*taken) if len(taken) == 2 else np.prod(taken)))
        if len(taken) == 1:
            milliseconds = 1e-3 * fixed * taken[0]
        layers.append(TimedLayer(op.module, len(times), tuple(sizes), op.parameter))
        times.append(LayerTimes(tuple(axes), milliseconds, 1))
    return LatencyTable(tuple(layers), tuple(times), (), 1, Fit(1.0, 0.01 / len(layers), 0.0))


def store_profile(study: Study, name: str = "board", lanes: int = 8) -> DeviceProfile:
    """Write a profile into a study; it proposes its lanes as multiple."""
    multiples = tuple(MeasuredMultiple(m, 2.0 if m < lanes else 1.0) for m in (1, 4, 8, 16))
    facts = {"networks": (), "multiples": multiples, "seconds": 1.0, "contended": False}
    profile = stored(name, CONDITIONS, study.structure, table_of(study.structure, lanes), **facts)
    write_profile(study, profile)
    return profile
