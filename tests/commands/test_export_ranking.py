"""An export of another ranking than the study's own: it holds that ranking's network, and says so."""

import json
from pathlib import Path

from legr.commands.export import export
from legr.progress import silent
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.study.store import Study

HALF = Budget(macs=0.5)


def test_the_network_of_the_ranking_that_is_named(study_path: Path, without_onnx: None, tmp_path: Path) -> None:
    study = Study.open(study_path)
    uniform, own = study.curve("uniform"), study.curve()
    made = export(study, ExportRequest(HALF, tmp_path / "out", ranking="uniform"), silent)
    params = [int(curve.params[curve.step(HALF)]) for curve in (uniform, own)]
    assert params[0] != params[1] and made.params == params[0]
    assert json.loads((tmp_path / "out" / "recipe.json").read_text())["ranking"] == "uniform"
