"""Ending the explorer."""

import subprocess
import sys

import pytest

from legr.cli import serve

_DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
_POLITE = "import time; print('up', flush=True); time.sleep(60)"


@pytest.mark.parametrize(("program", "code"), [(_DEAF, -9), (_POLITE, -15)])
def test_a_server_that_does_not_listen_ends_as_well(program: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is left while it loads can hold a server that was told to end."""
    monkeypatch.setattr(serve, "_END_S", 0.3)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"up\n"
        serve._end(process)
        assert process.returncode == code
