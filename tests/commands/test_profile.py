"""Profile a device: the layers of a small network, timed here; what was timed before a kill is not timed again."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
import torch

import legr
from legr.commands.original import original
from legr.commands.profile import finished_profile, profile
from legr.deploy import profile_passes
from legr.deploy.graph_network import GraphNetwork
from legr.deploy.module_network import ModuleNetwork
from legr.deploy.network_layers import network_layers
from legr.deploy.onnx_session import new_session
from legr.deploy.template_cache import template_of
from legr.errors import SettingsError
from legr.progress import Progress, silent
from legr.requests.profile import ProfileRequest
from legr.structure.latency import Counts, FloatArray
from legr.structure.types import Keep
from legr.study.device_profile import profile_names, read_device
from legr.study.store import Study

pytestmark = pytest.mark.slow
REQUEST = ProfileRequest(name="bench")
REQUESTS = (REQUEST, ProfileRequest(name="bench", runtime="pytorch"))
CPU = torch.device("cpu")


@pytest.fixture
def study(study_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr(profile_passes, "MOST_PASSES", profile_passes.FEWEST_PASSES)
    return Study.open(study_path)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A device on which a layer takes as many milliseconds as it has channels, and a network 2 for each of its units.

    Returns:
        What was timed.
    """
    timed: list[str] = []

    def time_layer(_: object, layer: object, points: Sequence[Counts]) -> FloatArray:
        timed.append("layer")
        return np.asarray(reduce(np.add.outer, [axis.astype(float) for axis in points], np.array(1.0)))

    def time_whole(_: object, keep: Keep, seconds: float) -> float:
        return 2 * float(keep.units.sum())

    for network in (GraphNetwork, ModuleNetwork):
        monkeypatch.setattr(network, "time_layer", time_layer)
        monkeypatch.setattr(network, "time_whole", time_whole)
    return timed


class Killed(BaseException):
    """Stands for a kill: nothing of the program catches it."""


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.runtime)
def test_a_profile_goes_on_and_what_was_timed_is_not_timed_again(
    study: Study, device: list[str], request_: ProfileRequest
) -> None:
    def until_half(progress: Progress) -> None:
        if progress.done * 2 > progress.total > 1:
            raise Killed

    with pytest.raises(Killed):
        profile(study, request_, CPU, until_half)
    notes = study.path / "profiles" / "bench.timings"
    notes.write_text(notes.read_text() + '{"key": "layer half wri')  # as a kill leaves it
    assert profile_names(study) == []
    before = len(device)

    made = profile(study, request_, CPU, silent)
    assert before > 0
    assert len(device) == profile_passes.FEWEST_PASSES * len(made.times)  # each once in each pass
    assert not notes.exists()
    assert read_device(study, "bench", study.structure).profile == made
    assert finished_profile(study, request_, CPU) == made
    assert finished_profile(study, replace(request_, again=True), CPU) is None
    others = (replace(request_, batch=2), next(other for other in REQUESTS if other != request_))
    for other in others:
        with pytest.raises(SettingsError, match=f"there is a profile bench already, of {made.conditions.runtime}"):
            finished_profile(study, other, CPU)
        assert finished_profile(study, replace(other, again=True), CPU) is None

    table, counts = made.table(study.structure), study.curve("identity").table([1.0, 0.5]).counts
    alone, _, _ = table.features(counts)
    convolutions = [layer for layer in table.layers if layer.parameter and layer.sizes]
    assert len(convolutions) > 5
    expected = sum(1 + sum(size.at(counts) for size in layer.sizes) for layer in table.layers)
    assert alone == pytest.approx(expected)  # linear in the channels, so exact between the points
    whole, half = table.milliseconds(counts)
    assert half < whole
    measured = next(n for n in made.networks if n.macs == 1.0)
    assert measured.milliseconds == 2 * study.structure.n_units
    assert [m.multiple for m in made.multiples] == [1, 4, 8, 16]


def test_a_profile_that_waited_for_another_one_of_the_same_times_nothing(study: Study, device: list[str]) -> None:
    first = profile(study, REQUEST, CPU, silent)
    before = len(device)
    assert profile(study, REQUEST, CPU, silent) == first  # as of a job that was asked for before the first was done
    assert len(device) == before
    with pytest.raises(SettingsError, match="there is a profile bench already"):
        profile(study, ProfileRequest(name="bench", batch=2), CPU, silent)
    assert sorted(path.name for path in (study.path / "profiles").iterdir()) == ["bench.json"]
    profile(study, ProfileRequest(name="bench", again=True), CPU, silent)
    assert len(device) == 2 * before


@pytest.mark.parametrize(("request_", "name"), [(REQUESTS[0], "ONNX Runtime"), (REQUESTS[1], "PyTorch")])
def test_a_real_device_is_profiled(study: Study, request_: ProfileRequest, name: str) -> None:
    made = profile(study, request_, CPU, silent)
    assert made.conditions.runtime.startswith(name)
    assert all(ms > 0 for times in made.times for ms in times.milliseconds)
    assert len(made.networks) > len(made.multiples) == 4


def test_the_layers_together_are_the_network(study: Study) -> None:
    """All operations of the graph, each in one layer; a layer alone computes the sizes that the network has there."""
    model, structure = original(study), study.structure
    template = template_of(model, structure, study.info.input_shape)
    found, opsets = network_layers(model, structure, template, batch=1)
    layers = [placed.layer for placed in found.placed]
    nodes = Counter(node.op_type for layer in layers for node in layer.nodes)
    assert nodes["Conv"] == sum(isinstance(m, torch.nn.Conv2d) for m in model.modules())
    assert nodes["Gemm"] == 1
    keep = study.curve("identity").at(macs=0.4)
    counts = np.array([keep.kept(labels).sum() for labels in structure.vectors])
    pruned = legr.prune(model, structure, keep)
    shapes = {name: tuple(p.shape) for name, p in pruned.named_parameters()}
    convolutions = [layer for layer in layers if layer.nodes[0].op_type == "Conv"]
    assert len(convolutions) > 5
    for layer in convolutions:
        channels = [int(size.at(counts[:, None])[0]) for size in layer.sizes]
        alone = layer.alone(channels, opsets)
        weights = {tuple(t.dims) for t in alone.graph.initializer if len(t.dims) == 4}
        assert weights <= set(shapes.values())
        session = new_session(alone, threads=1)
        inputs = {n: np.zeros(s, dtype=np.float32) for n, s in layer.input_shapes(channels).items()}
        assert all(np.isfinite(x).all() for x in session.run(None, inputs))


def test_a_profile_of_other_conditions_starts_anew(study: Study, device: list[str]) -> None:
    notes = study.path / "profiles" / "bench.timings"
    notes.parent.mkdir()
    about = {"network": "of another", "conditions": {"runtime": "x", "device": "cpu", "threads": 1, "batch": 1}}
    notes.write_text(json.dumps(about) + "\n" + json.dumps({"key": "quantum", "values": [32.0]}) + "\n")
    assert profile(study, REQUEST, CPU, silent).quantum != 32
    assert not notes.exists()


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (ProfileRequest(threads=1000), "threads must be in"),
        (ProfileRequest(runtime="pytorch", threads=1000), "threads must be in"),
        (ProfileRequest(name="../x"), "name must be ASCII letters"),
    ],
)
def test_what_cannot_be_profiled_is_one_sentence(study: Study, request_: ProfileRequest, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        finished_profile(study, request_, CPU)
