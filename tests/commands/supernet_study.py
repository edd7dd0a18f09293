"""A copy of a study with a supernet that was trained for one short run and measured at a few budgets."""

import shutil
from pathlib import Path

import pytest
import torch

from legr.commands import supernet_points
from legr.commands.supernet import run_supernet
from legr.progress import silent
from legr.study.store import Study
from legr.training.supernet_settings import SupernetSettings


def with_supernet(source: Path, path: Path, settings: SupernetSettings, budgets: int) -> Path:
    """Copy a study to `path` and train a supernet of its default ranking there.

    Args:
        budgets: that it is measured at.
    """
    shutil.copytree(source, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supernet_points, "MEASURED", budgets)
        run_supernet(Study.open(path), settings, torch.device("cpu"), silent)
    return path
