"""One graph for all budgets against an export of each: `python -m benchmarks.onnx_graphs [NAME[@SIZE] …] [--json]`.

Every model runs in a process of its own, on one thread. A row says how many operations the graph of the original has
and how many numbers in it follow the kept set; processor seconds of the template, and of exporting one pruned network;
milliseconds to fill the template at half the MACs, to make a session of ONNX Runtime from it, and to finish it as a
file is (batch norms folded); whether ONNX Runtime, which folds them itself, then runs the same operations; and for how
many budgets the filled graph is that of the exported network to the last bit, with the original's operations.
Ends with 1 if one is not.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

import legr
from benchmarks.architectures import Row, Survey, build, shape_of
from legr.deploy.graph import arrays_of, finished, graph_of
from legr.deploy.onnx_session import new_session
from legr.deploy.template import arrays_at, fill, make_template

NAMES = ("cifar_resnet56", "resnet18@224", "mobilenet_v2@224", "efficientnet_b0@224")
BUDGETS = (0.5, 0.2)


def measure(name: str) -> Row:
    """One row, in this process."""
    name, shape = shape_of(name)
    model = build(name).eval()
    structure = legr.trace(model, torch.zeros(1, *shape))
    template, template_s = _timed(lambda: make_template(model, structure, shape))
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    keeps = [curve.at(macs=max(budget, curve.floor)) for budget in BUDGETS]
    graphs = [fill(template, keep, arrays_at(model, structure, keep)) for keep in keeps]
    pruned = [legr.prune(model, structure, keep) for keep in keeps]
    exported, export_s = _timed(lambda: [graph_of(network, shape) for network in pruned])
    _, fill_s = _timed(lambda: fill(template, keeps[0], arrays_at(model, structure, keeps[0])))
    _, session_s = _timed(lambda: new_session(graphs[0], threads=1, batch=1))
    done, finish_s = _timed(lambda: finished(graphs[0]))
    operations = _operations(
        finished(fill(template, legr.Keep(np.ones(structure.n_units, dtype=bool)), arrays_of(model)))
    )
    return {
        "model": name,
        "input": "x".join(map(str, shape)),
        "operations": sum(operations.values()),
        "numbers": len(template.numbers),
        "template_cpu_s": template_s,
        "export_cpu_s": export_s / len(BUDGETS),
        "fill_ms": 1e3 * fill_s,
        "session_ms": 1e3 * session_s,
        "finish_ms": 1e3 * finish_s,
        "runs_the_same": _run_operations(graphs[0]) == _run_operations(done),
        "same": sum(
            graph.SerializeToString() == other.SerializeToString() and _operations(finished(other)) == operations
            for graph, other in zip(graphs, exported, strict=True)
        ),
        "budgets": len(BUDGETS),
    }


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and its processor seconds."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def _run_operations(graph: onnx.ModelProto) -> Counter[str]:
    """What ONNX Runtime makes of a graph: its own operations included."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = f"{folder}/run.onnx"
        onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return _operations(onnx.load(options.optimized_model_filepath))


def _operations(graph: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in graph.graph.node)


def _line(row: Row) -> str:
    run = "alike" if row["runs_the_same"] else "OTHERWISE"
    return (
        f"{row['model']:<34}{row['operations']:>5} operations{row['numbers']:>4} numbers, template"
        f"{row['template_cpu_s']:>6.1f} s, export{row['export_cpu_s']:>6.1f} s, fill{row['fill_ms']:>5.0f} ms, "
        f"session{row['session_ms']:>5.0f} ms, finish{row['finish_ms']:>5.0f} ms, run {run}, "
        f"same {row['same']}/{row['budgets']}"
    )


def _measure_on_one_thread(name: str) -> Row:
    torch.set_num_threads(1)
    return measure(name)


def _is_right(row: Row) -> bool:
    return bool(row["same"] == row["budgets"])


SURVEY = Survey("benchmarks.onnx_graphs", __doc__, NAMES, _measure_on_one_thread, _line, _is_right)

if __name__ == "__main__":
    sys.exit(SURVEY.run())
