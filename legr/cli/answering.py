"""The process that pages ask what networks predict: it loads torch once, and keeps networks loaded.

    python -m legr.cli.answering SECONDS        ends after so long without a question, and with whoever asks

Questions and answers are lines of JSON on stdin and stdout. It ends in order (exit 0) as well where code of the user's
own that it has imported was changed, and after an error that nobody expected: the next process begins anew.
"""

import json
import os
import sys
import sysconfig
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import BinaryIO

from legr.commands.loaded import LoadedNetworks
from legr.commands.look import NumberedTestImage, look
from legr.commands.questions import Answer, Question
from legr.errors import LegrError, SettingsError
from legr.escape import brief
from legr.files import in_words
from legr.models.config_file import settings_path
from legr.progress import silent
from legr.requests.measure import LookRequest
from legr.schema import parse
from legr.study.store import Study

_CODE = ("stdlib", "platstdlib", "purelib", "platlib")
#: Folders whose code changes with a restart only.
_INSTALLED = tuple({Path(__file__).resolve().parents[1], *(Path(sysconfig.get_path(name)) for name in _CODE)})
_UNKNOWN = -1  # of a file: no time that it could have


def main(idle_s: float) -> None:
    """Answer questions, one after the other, until nobody asks any more."""
    lines, loaded, own_code = SimpleQueue[bytes](), LoadedNetworks(), _times(())
    output = _own_output()
    Thread(target=_read, args=(_own_input(), lines), daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=idle_s)
        except Empty:
            return
        began = time.time_ns()
        if _times(own_code) != own_code:
            return  # the question is asked again
        question = parse(line, Question)
        try:
            answer = _answer(question, loaded, output)
        except Exception as error:
            traceback.print_exc()
            _send(output, Answer(question.number, sentence=f"unexpected {type(error).__name__}: {error}"))
            return
        now = _times(_own_code()).items()
        # What was saved since the question was asked may have been imported as it was before: it counts as changed.
        own_code = {file: changed if changed < began else _UNKNOWN for file, changed in now} | own_code
        _send(output, answer)


def _answer(question: Question, loaded: LoadedNetworks, output: BinaryIO) -> Answer:
    """The last answer to a question; its picture is sent."""
    try:
        result = look(
            Study.open(question.study),
            LookRequest.from_dict(question.request),
            _image(question),
            silent,
            network_name=question.network,
            loaded=loaded,
            show=lambda picture: _send(output, Answer(question.number, picture=picture)),
        )
    except LegrError as error:
        return Answer(question.number, sentence=brief(str(error)))
    except OSError as error:
        return Answer(question.number, sentence=brief(in_words(error)))
    return Answer(question.number, result=result)


def _image(question: Question) -> Path | NumberedTestImage:
    if question.test_image is not None:
        return NumberedTestImage(question.test_image)
    if question.image is None:
        raise SettingsError("a question is about a file or a test image, got neither; choose one")
    return Path(question.image)


def _send(output: BinaryIO, answer: Answer) -> None:
    output.write(json.dumps(answer.to_dict()).encode() + b"\n")
    output.flush()


def _read(lines_in: BinaryIO, lines: "SimpleQueue[bytes]") -> None:
    """Take in the questions; when whoever asks is gone, nothing that is under way is of use to anybody."""
    for line in lines_in:
        lines.put(line)
    os._exit(0)


def _own_input() -> BinaryIO:
    """What questions are read from; other code that asks for input finds none."""
    questions = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return questions


def _own_output() -> BinaryIO:
    """What answers are written to; what other code prints goes to stderr."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def _own_code() -> list[str]:
    """Files of code that was imported for models of the user's own, and the one that names such models."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return [str(file) for file in (*files, settings_path()) if file and not _is_installed(Path(file))]


def _is_installed(file: Path) -> bool:
    return any(file.is_relative_to(folder) for folder in _INSTALLED)


def _times(files: Iterable[str]) -> dict[str, int]:
    return {file: _time(file) for file in files}


def _time(file: str) -> int:
    try:
        return os.stat(file).st_mtime_ns
    except OSError:
        return 0


if __name__ == "__main__":
    main(float(sys.argv[1]))
    os._exit(0)  # the thread that reads waits in the middle of a read
