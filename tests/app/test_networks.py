"""The process that keeps networks loaded: its answers, and how it ends. All with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from app.networks import NetworkProcess
from legr.cli import answering
from legr.commands.questions import LookResult, Picture, Question
from legr.ranking.limits import Budget
from legr.requests.measure import LookRequest
from legr.study.catalog import SAMPLES
from legr.study.comparison import comparison_name
from legr.study.store import Study
from tests.cli.processes import ROOT, run

pytestmark = pytest.mark.slow
SAMPLE = SAMPLES / "digits-resnet20"


@pytest.fixture
def networks() -> Iterator[NetworkProcess]:
    process = NetworkProcess()
    yield process
    if process.pid:
        os.kill(process.pid, signal.SIGKILL)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(path, "PNG")
    return path


def question(macs: float = 0.3, study: Path = SAMPLE, **which: object) -> Question:
    return Question(str(study), LookRequest(Budget(macs=macs), "learned-ms").to_dict(), **which)  # type: ignore[arg-type]


def wait_until(happened: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_answers_what_the_command_answers_to_the_last_bit(networks: NetworkProcess, image: Path) -> None:
    pictures: list[Picture] = []
    said: dict[tuple[float, tuple[object, ...]], LookResult] = {}
    for macs in (0.3, 0.6, 0.3):  # the last from networks that are loaded, and were asked before
        for which, option in (({"image": str(image)}, ("--image", image)), ({"test_image": 7}, ("--test-image", 7))):
            found = networks.ask(question(macs, **which), pictures.append)
            if (macs, option) not in said:
                usual = ("look", "--study", SAMPLE, "--macs", macs, "--ranking", "learned-ms")
                said[macs, option] = LookResult.from_dict(run(*usual, *option, "--json")[0])
            assert found.result == said[macs, option]
            assert found.result is not None and found.sentence == ""
            assert vars(pictures[-1]).items() <= vars(found.result).items()
    assert len(pictures) == 6


def test_mistakes_are_one_sentence_and_the_process_stays(networks: NetworkProcess, tmp_path: Path) -> None:
    text = tmp_path / "image"
    text.write_text("no picture")
    for asked, sentence in (
        (question(image=str(text)), "the file is no PNG, JPEG, WebP or BMP image"),
        (question(test_image=360), "a test image has a number from 1 to 359, got 360"),
        (question(study=tmp_path / "gone", test_image=1), "is not a study"),
        (question(), "about a file or a test image"),
        (Question(str(SAMPLE), {"budget": {"macs": 7.0}}, test_image=1), "in (0, 1], got 7.0"),
        (Question(str(SAMPLE), {}, test_image=1), "look needs a budget"),
    ):
        answer = networks.ask(asked)
        assert answer.result is None and sentence in answer.sentence
    pid = networks.pid
    assert networks.ask(question(test_image=1)).result and networks.pid == pid


def test_a_killed_process_is_one_sentence_and_the_next_question_starts_it_anew(networks: NetworkProcess) -> None:
    first = networks.ask(question(test_image=5)).result
    pid = networks.pid
    assert first and pid

    os.kill(pid, signal.SIGSTOP)  # so that it does not answer before it is killed
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(networks.ask, question(test_image=6))
        os.kill(pid, signal.SIGKILL)
        assert waiting.result(timeout=30).sentence == (
            "the process that runs the networks ended unexpectedly (by signal 9; is there too little memory?); "
            "ask again, and it starts anew"
        )
    assert networks.ask(question(test_image=5)).result == first
    assert networks.pid not in (None, pid)


def test_another_network_than_the_page_shows_is_refused(networks: NetworkProcess) -> None:
    study = Study.open(SAMPLE)
    keep = study.curve().at(Budget(macs=0.3))
    shown = comparison_name(keep, study.best_finetuned(keep))
    assert networks.ask(question(test_image=5, network=shown)).result
    answer = networks.ask(question(0.6, test_image=5, network=shown))  # as after a change of the constraints
    assert answer.result is None and "have changed since the page was drawn" in answer.sentence


def test_a_question_that_takes_too_long_is_given_up_and_the_next_is_answered() -> None:
    networks = NetworkProcess(longest_s=2)
    networks.start()
    assert networks.pid
    os.kill(networks.pid, signal.SIGSTOP)
    answer = networks.ask(question(test_image=5))
    assert answer.sentence.startswith("the process that runs the networks took more than")
    assert networks.pid is None
    networks = NetworkProcess()
    assert networks.ask(question(test_image=5)).result
    os.kill(networks.pid or 0, signal.SIGKILL)


def test_code_beside_the_program_is_the_users_own() -> None:
    package = Path(answering.__file__).parents[1]
    assert answering._is_installed(package / "study" / "store.py")
    assert answering._is_installed(Path(np.__file__)) and answering._is_installed(Path(os.__file__))
    assert not answering._is_installed(package.with_name("legr_nets.py"))
    assert not answering._is_installed(package.parent / "legr.toml")


def test_it_ends_when_nobody_asks_and_is_started_again_without_a_word() -> None:
    networks = NetworkProcess(idle_s=0.5)
    assert networks.ask(question(test_image=5)).result
    wait_until(lambda: networks.pid is None)
    assert networks.ask(question(test_image=5)).result


def test_it_can_be_started_before_it_is_asked(networks: NetworkProcess) -> None:
    networks.start()
    pid = networks.pid
    networks.start()
    assert pid and networks.pid == pid
    assert networks.ask(question(test_image=5)).result and networks.pid == pid


def test_tabs_wait_for_each_other_and_each_gets_its_own_answer(networks: NetworkProcess) -> None:
    numbers = [1, 2, 3, 4, 5, 6]
    with ThreadPoolExecutor(len(numbers)) as pool:
        answers = list(pool.map(lambda number: networks.ask(question(test_image=number)).result, numbers))
    assert [answer and answer.test_image for answer in answers] == numbers


def test_an_answer_that_nobody_waited_for_is_not_given_to_the_next(networks: NetworkProcess) -> None:
    """Streamlit ends a run of a page by an exception wherever it shows something."""

    def stop(picture: Picture) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        networks.ask(question(test_image=8), stop)
    found = networks.ask(question(test_image=9)).result
    assert found and found.test_image == 9


@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_with_the_server_also_when_that_is_killed(busy: bool, tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom app.networks import NETWORKS\nfrom tests.app.test_networks import question\n"
        "def pause(picture):\n    print(NETWORKS.pid, flush=True)\n    time.sleep(60)\n"
        f"NETWORKS.ask(question(test_image=1), {'pause' if busy else 'print'})\npause(None)"
    )
    server = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    pid = int(next(line for line in server.stdout if line.strip().isdigit()))
    process = psutil.Process(pid)
    assert process.is_running()
    server.kill()
    server.wait()
    wait_until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, 5)


def test_a_study_that_changes_is_loaded_anew(networks: NetworkProcess, tmp_path: Path) -> None:
    own = Study.open(SAMPLE).copy_to(tmp_path / "own")
    asked = question(study=own.path, test_image=3)
    assert networks.ask(asked).result
    weights = own.weights_path.read_bytes()
    own.weights_path.write_bytes(weights[:-4] + bytes(4))
    assert "weights.safetensors has changed since the study was made" in networks.ask(asked).sentence
    own.weights_path.write_bytes(weights)
    (own.path / "ranking-ms.json").unlink()
    assert "has no learned-ms ranking yet" in networks.ask(asked).sentence


NET = """
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 8, 3), nn.Linear(8, 10)
    def forward(self, x):
        return self.head(self.conv(x).SHAPE().mean((2, 3)))
"""


def test_code_of_ones_own_that_changes_is_imported_anew(
    networks: NetworkProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("DATA", "CACHE"):
        monkeypatch.setenv(f"LEGR_{place}", str(tmp_path / place))
    monkeypatch.setenv("LEGR_CONFIG", str(tmp_path / "legr.toml"))
    (tmp_path / "legr.toml").write_text('[models.mine]\nfactory = "robot_nets:Net"\ninput = "1x1x12x20"\n')
    code, study = tmp_path / "robot_nets.py", tmp_path / "own"
    code.write_text(NET.replace("SHAPE", "relu"))
    run("new", "--study", study, "--model", "mine", "--weights", "none", "--data", "digits")
    asked = Question(str(study), LookRequest(Budget(macs=0.6), "identity").to_dict(), test_image=3)
    before, pid = networks.ask(asked).result, networks.pid
    assert networks.ask(asked).result == before and networks.pid == pid
    code.write_text(NET.replace("SHAPE", "square"))
    usual = ("look", "--study", study, "--macs", 0.6, "--ranking", "identity", "--test-image", 3, "--json")
    now = networks.ask(asked).result
    assert now == LookResult.from_dict(run(*usual)[0])
    assert before and now and before.pruned != now.pruned and networks.pid != pid
    code.write_text(NET.replace("SHAPE", "no_such_operation"))
    assert networks.ask(asked).sentence == (
        "unexpected AttributeError: 'Tensor' object has no attribute 'no_such_operation'"
    )
    code.write_text(NET.replace("SHAPE", "square"))
    assert networks.ask(asked).result == now
