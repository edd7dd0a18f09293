"""A study whose CIFAR-10 is not the one a download brings is told so before 170 MB are fetched."""

from pathlib import Path

import pytest

from legr.commands.data import locate
from legr.commands.images import images_of
from legr.data import load
from legr.errors import DataError, SettingsError
from legr.progress import silent
from legr.study.store import Study


@pytest.fixture
def earlier(study_path: Path) -> Study:
    return Study.open(study_path).with_info(data_name="cifar10", data_fingerprint="cifar10-1")


def test_nothing_is_downloaded_that_would_not_do(earlier: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "download_cifar", lambda *_: pytest.fail("a download was begun"))
    with pytest.raises(SettingsError, match=r"images of this study \(cifar10\) are others; use --folder DIR, or make"):
        locate(earlier, None, True, silent)
    with pytest.raises(DataError, match="not known on this machine") as said:
        images_of(earlier)
    assert "--download" not in str(said.value)
