"""Profiles of devices as a study keeps them: read again, and refused where they are not of this network."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from legr.commands.learn import pricing_of
from legr.errors import StudyError
from legr.ranking.limits import Budget
from legr.structure.latency import Fit, LatencyTable, LayerTimes, Passage, Size, TimedLayer
from legr.study.device_choice import device_of
from legr.study.device_profile import (
    DeviceProfile,
    MeasuredMultiple,
    MeasuredNetwork,
    profile_names,
    read_device,
    readable_devices,
    stored,
    write_profile,
)
from legr.study.latency import Conditions
from legr.study.records import SearchSettings
from legr.study.store import Study

HERE = Conditions("ONNX Runtime 1.31.1", "cpu", 1, 1, "a processor")


@pytest.fixture
def study(study_path: Path) -> Study:
    return Study.open(study_path)


def _profile(study: Study) -> DeviceProfile:
    width = Size(0, 16, len(study.structure.vectors[0]))
    table = LatencyTable(
        layers=(TimedLayer("first", 0, (width,), study.structure.axes[0].parameter), TimedLayer("last", 1, (), None)),
        times=(LayerTimes((np.array([1, 16]),), np.array([1.0, 2.0]), 1), LayerTimes((), np.array(0.5), 1)),
        passages=(Passage(64, width, (width,)),),
        quantum=1,
        fit=Fit(1.0, 0.01, 0.0),
    )
    return stored(
        "bench",
        HERE,
        study.structure,
        table,
        networks=(MeasuredNetwork(0.5, 2.0, 2.2), MeasuredNetwork(0.3, 1.0, 1.0)),
        multiples=(MeasuredMultiple(1, 2.0), MeasuredMultiple(8, 1.01), MeasuredMultiple(16, 1.0)),
        seconds=3.0,
        contended=False,
    )


def test_a_profile_is_read_again(study: Study) -> None:
    profile = _profile(study)
    write_profile(study, profile)
    assert profile_names(study) == ["bench"]
    found = read_device(study, "bench", study.structure)
    assert found.profile == profile
    counts = np.array([[len(labels)] for labels in study.structure.vectors])
    assert found.table.milliseconds(counts) == pytest.approx(2.0 + 0.5 + 0.02)


def test_what_tells_of_pytorch_is_kept_and_left_out_where_there_is_none(study: Study) -> None:
    """The name that a search gives a profile is made of what is stored, so that of earlier profiles has to stay."""
    profile = _profile(study)
    assert "replaced" not in profile.to_dict() and not any("periods" in times for times in profile.to_dict()["times"])
    table = profile.table(study.structure)
    with_period = replace(table.times[0], periods=(16,))
    eager = stored(
        "eager",
        HERE,
        study.structure,
        replace(table, times=(with_period, *table.times[1:]), replaced=True),
        networks=(),
        multiples=(),
        seconds=3.0,
        contended=False,
    )
    write_profile(study, eager)
    found = read_device(study, "eager", study.structure).table
    assert found.replaced and [times.periods for times in found.times] == [(16,), ()]


def test_the_multiple_is_the_smallest_that_is_as_fast_as_the_fastest(study: Study) -> None:
    profile = _profile(study)
    assert profile.multiple == 8  # 1 % slower than 16
    assert profile.errors == (pytest.approx(0.05), pytest.approx(0.095))  # errors of 0 and 10 %


def test_a_profile_that_is_not_there_names_those_that_are(study: Study) -> None:
    with pytest.raises(StudyError, match="has no profile 'jetson': there is none yet; make one with"):
        read_device(study, "jetson", study.structure)
    write_profile(study, _profile(study))
    with pytest.raises(StudyError, match="there are bench"):
        read_device(study, "../bench", study.structure)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("network", "0" * 16, "is of another network"),
        ("layers", [{"name": "x", "times": 9, "sizes": [], "parameter": None}], "the times of x are not in the table"),
        ("layers", [{"name": "x", "times": 1, "sizes": [], "parameter": "no.weight"}], "the network has no no.weight"),
        ("passages", [[1, [10**5, 1, 1], [], []]], "no label vector 100000"),
        ("passages", [[1, [0, 16, 16], [], [10**5]]], "in a branch that the network has not"),
        ("passages", [[1, [0, 16, 16], [], []]] * 20_001, "passages"),
        ("layers", [{"name": "x", "times": 1, "sizes": [], "parameter": None}] * 5_001, "layers"),
        ("networks", [{"macs": 1.0, "milliseconds": 0.0, "predicted": 1.0}], "milliseconds"),
        ("multiples", [{"multiple": 0, "milliseconds": 1.0}], "multiple"),
        ("fit", {"scale": -1.0, "overhead_ms": 0.0, "saved_ms": 0.0}, "scale"),
        ("times", [{"points": [[4, 2]], "milliseconds": [1.0, 2.0]}], "do not rise"),
        ("times", [{"points": [[1, 2]], "milliseconds": [1.0]}], "do not fit together"),
        ("times", [{"points": [[1]], "milliseconds": [-1.0]}], "times"),
        ("times", [{"points": [[1]], "milliseconds": [1.0], "periods": [16, 16]}], "do not fit together"),
        ("times", [{"points": [[1]], "milliseconds": [1.0], "periods": [-1]}], "periods"),
        ("fit", {"scale": "x", "overhead_ms": 0, "saved_ms": 0}, "scale"),
    ],
)
def test_a_damaged_profile_is_one_sentence(study: Study, field: str, value: object, said: str) -> None:
    write_profile(study, _profile(study))
    path = study.path / "profiles" / "bench.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(StudyError, match=said) as caught:
        read_device(study, "bench", study.structure)
    assert "\n" not in str(caught.value) and "python -m legr profile" in str(caught.value)


def test_a_profile_is_called_as_its_file_is(study: Study) -> None:
    write_profile(study, _profile(study))
    folder = study.path / "profiles"
    (folder / "bench.json").rename(folder / "board.json")
    (folder / "not a name.json").write_text("{}")
    assert profile_names(study) == ["board"]
    assert read_device(study, "board", study.structure).profile.name == "board"


def test_a_table_is_built_once_whoever_reads_it(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    write_profile(study, _profile(study))
    built: list[str] = []
    build = DeviceProfile.table
    monkeypatch.setattr(DeviceProfile, "table", lambda self, of: built.append(self.name) or build(self, of))
    read_device(study, "bench", study.structure)
    assert built == ["bench"]
    assert [device.profile.name for device in readable_devices(study, study.structure)] == ["bench"] == built[1:]
    device_of(study, study.structure, Budget(latency=0.5, device_profile="bench"))
    assert built == ["bench"] * 3
    pricing_of(study, SearchSettings(cost="latency", device_profile="bench"))
    assert built == ["bench"] * 4
