"""No page loads torch: a page that did would take seconds to open and hundreds of megabytes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.app.conftest import ROOT
from tests.browser.running import running_app, server_of

SCRIPT = """
import sys
from streamlit.testing.v1 import AppTest
at = AppTest.from_file("streamlit_app.py", default_timeout=60)
at.query_params["study"] = "demo"
at.run()
for page in ("learn", "finetune", "see", "structure", "studies", "explore"):
    at.switch_page(f"pages/{page}.py").run()
    assert not at.exception and not at.error, (page, at.exception, at.error)
heavy = {"torch", "torchvision", "optuna", "onnx", "sklearn"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.slow
def test_all_pages_run_without_torch(studies: Path) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_the_server_itself_has_no_torch_in_its_memory(studies: Path) -> None:
    with running_app(studies) as url:
        process = server_of(url)
        deadline = time.monotonic() + 60
        while not any("pandas" in region.path for region in process.memory_maps()):  # it reads ahead what pages need
            assert time.monotonic() < deadline, "nothing was read ahead"
            time.sleep(0.2)
        assert not any("torch" in region.path for region in process.memory_maps())
