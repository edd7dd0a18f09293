"""Start the explorer: Streamlit on localhost, on the first free port."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from legr.cli import terminal
from legr.cli.options import number, with_options
from legr.errors import SettingsError
from legr.models.config_file import with_settings
from legr.paths import explorer_folder
from legr.requests.ranges import PORT
from legr.study.catalog import studies_folder

_TRIES = 50
_END_S = 3.0  # a server that was told to end and waits for a connection longer than this is killed


def serve(port: int, studies: Path | None) -> None:
    """Run the explorer until it is stopped; a taken port is said in one sentence, and the next free one used.

    Raises:
        SettingsError: the port is out of range, or none is free.
    """
    PORT.require("port", port)
    free = next((p for p in range(port, min(port + _TRIES, 65536)) if _is_free(p)), None)
    if free is None:
        raise SettingsError(f"no port from {port} to {port + _TRIES - 1} is free; choose another with --port")
    if free != port:
        terminal.say(f"Port {port} is taken; using {free} instead.")
    folder = studies_folder(studies)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to end, it ends the server as well
    process = subprocess.Popen(
        [sys.executable, "-m", "app.server", str(free)],
        cwd=explorer_folder(),
        env={**with_settings(os.environ), "LEGR_STUDIES": str(folder)},
    )
    try:  # the line comes after the start: whoever reads it and presses Ctrl-C leaves no process behind
        terminal.say(f"LeGR explorer: http://localhost:{free}  (studies in {folder}; stop with Ctrl-C)")
        code = process.wait()
    except KeyboardInterrupt:
        _end(process)
        raise
    if code not in (0, -2, -15):
        raise SettingsError(f"the explorer ended with code {code}; see the lines above")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server. It keeps nothing that is not on disk, and a page that is left as it loads can hold it forever."""
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        pass
    finally:  # Ctrl-C once more ends the waiting, and must leave no server behind
        process.kill()
        process.wait()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@with_options
def app(
    port: Annotated[int, number("Port to try first.", PORT, "--port")] = 8501,
    studies: Annotated[Path | None, typer.Option(help="Folder of studies.")] = None,
) -> None:
    """Start the explorer in the browser, on localhost."""
    serve(port, studies)
