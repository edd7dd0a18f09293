"""An export where the original's graph is kept in the cache."""

from pathlib import Path

import pytest

from legr.commands.export import export
from legr.commands.original import original
from legr.deploy.template_cache import template_of
from legr.progress import silent
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.study.store import Study


@pytest.mark.thorough
def test_it_takes_no_export_and_gives_the_same_bytes(
    study_path: Path, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Study.open(study_path)
    first, second = (ExportRequest(Budget(macs=0.5), own_folders / name) for name in ("first", "second"))
    export(study, first, silent)
    template_of(original(study), study.structure, study.info.input_shape)

    def refuse(*_: object) -> None:
        pytest.fail("the network is exported anew")

    monkeypatch.setattr("legr.commands.export.export_onnx", refuse)
    export(study, second, silent)
    assert (second.out / "network.onnx").read_bytes() == (first.out / "network.onnx").read_bytes()
