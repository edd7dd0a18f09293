"""A command that a study says made something, as a line that a person may copy into a shell."""

import shlex
from pathlib import Path

from legr.errors import LegrError
from legr.requests.jobs import JOB_REQUESTS


def command_again(line: str, study: Path) -> str:
    """The command for a study wherever it is by now; "" where it is none of a job.

    A study may come from anyone: the line is read as a request and written anew, so that it asks for nothing else.
    """
    try:
        words = shlex.split(line)
        if words[:3] != ["python", "-m", "legr"] or words[4:5] != ["--study"]:
            return ""
        request = JOB_REQUESTS[words[3]].from_arguments(words[6:])
    except (ValueError, KeyError, IndexError, LegrError):
        return ""
    request = request.elsewhere(study / "exports")
    return shlex.join(["python", "-m", "legr", request.command, "--study", str(study), *request.arguments()])
