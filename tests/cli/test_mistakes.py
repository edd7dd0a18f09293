"""A mistake is one sentence on stderr and exit code 2, never a traceback."""

import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from legr.models.zoo import build_model
from tests.cli.processes import called, copy_of, kill_when, learn, refused


@pytest.mark.parametrize(
    "given",
    [
        ("a" * 5000,),
        ("show", f"--{'a' * 5000}"),
        ("shape", "--exclude", "a" * 5000),
        ("look", "--run", "\x1b[31m" * 900),
    ],
)
def test_what_was_given_is_not_repeated_at_length(given: tuple[str, ...], study_path: Path) -> None:
    study = () if len(given) == 1 else ("--study", study_path)
    said = refused(*given[:1], *study, *given[1:])
    assert len(said) < 600 and said.count("\n") == 1 and "\x1b" not in said


def test_mistakes_are_one_sentence_and_exit_2(study_path: Path, tmp_path: Path) -> None:
    pickled, empty = tmp_path / "evil.pt", tmp_path / "empty.safetensors"
    torch.save({"state_dict": build_model("cifar_resnet8", 10)}, pickled)  # a whole module: not plain tensors
    save_file({"conv1.weight": torch.zeros(1)}, empty)
    new = ("new", "--study", tmp_path / "x", "--model", "cifar_resnet8", "--data", "digits", "--weights")
    images = ("new", "--study", tmp_path / "x", "--model", "cifar_resnet8", "--weights", "none", "--data")
    image = tmp_path / "images" / "train" / "a"
    for name in ("train/a", "train/b", "val/a", "val/b"):
        (tmp_path / "images" / name).mkdir(parents=True)
        (tmp_path / "images" / name / "1.png").write_bytes(b"not an image")
    newer = copy_of(study_path, tmp_path / "newer")
    eager = ("profile", "--study", study_path, "--runtime", "pytorch")
    (newer / "study.json").write_text('{"format": 99}')
    for arguments, words in (
        ((*new, tmp_path / "none.pt"), "no weights file"),
        ((*new, pickled), "evil.pt"),
        ((*new, empty), "does not fit the model"),
        (("new", "--study", tmp_path / "x", "--model", "resnet9", "--data", "digits", "--weights", "none"), "resnet50"),
        ((*images, image.parents[1]), "1.png"),
        ((*images, tmp_path / "no"), "no"),
        (
            ("new", "--study", study_path, "--model", "cifar_resnet8", "--weights", "none", "--data", "digits"),
            "already",
        ),
        (("new", "--study", tmp_path / "x"), "--model, --weights, --data"),
        (("show", "--study", tmp_path / "nothing"), "legr new"),
        (("show", "--study", study_path, "--macs", "0.001"), "below the floor"),
        (("show", "--study", study_path, "--macs", "2"), "(0, 1]"),
        (("show", "--study", study_path, "--macs", "half"), "--macs"),
        (("show", "--study", newer), "newer version"),
        (("show",), "--study"),
        (("sohw",), "sohw"),
        (("evaluate", "--study", study_path, "--ranking", "learned"), "legr learn"),
        (("evaluate", "--study", study_path, "--device", "tpu"), "device must be"),
        ((*eager, "--device", "tpu"), "device must be auto, cpu or cuda"),
        ((*eager, "--device", "cuda:99"), "there is no device cuda:99 on this machine"),
        (("profile", "--study", study_path, "--runtime", "torch"), "is not one of 'onnxruntime', 'pytorch'"),
        (("learn", "--study", study_path, "--candidates", "0"), "candidates must be in [1, 1000000], got 0"),
        (("learn", "--study", study_path, "--model", "resnet18"), "--model cifar_resnet8"),
        (("finetune", "--study", study_path, "--macs", "0.5", "--epochs", "0"), "epochs must be in [1, 10000], got 0"),
        (("measure", "--study", study_path, "--budgets", "a,b"), "separated by commas"),
        (("cancel", "--study", study_path, "../../etc"), "has no job"),
        (("app", "--port", "0"), "port must be"),
    ):
        said = refused(*arguments)
        assert words in said.splitlines()[-1], (arguments, said)
    assert not (tmp_path / "x" / "study.json").exists()


@pytest.mark.slow
def test_a_setting_that_differs_is_named(study_path: Path) -> None:
    called(*learn(study_path, "--candidates", 2, "--workers", 2))
    assert called("learn", "--study", study_path, "--candidates", 2, "--json")[0]["resumed_from"] == 2
    for arguments, words in (
        (("--budget", 0.3, "--budgets", "0.3,0.5"), "give one of the two"),
        (("--budgets", "0.3,1.5"), "budgets must be in (0, 1], got"),
        (("--budget", 0.0001), "below the floor"),
        (("--method", "magic"), "must be one of gradient, evolution, rl, got 'magic'"),
        (("--method", "rl"), "rl learns for one budget, got all; one search a budget: --budget 0.3"),
        (("--method", "evolution", "--option", "magic=3"), "no option 'magic'; this method has pool"),
        (("--option", "rate"), "such as mutate=0.2, got 'rate'"),
        (("--option", "rate=nan"), "rate must be a finite number, got nan"),
        (("--option", "stride=1.5"), "stride must be a whole number, got 1.5"),
        (("--option", "softness=3"), "softness must be in (0, 1], got 3"),
        (("--method", "evolution", "--option", "step=-1"), "step must be in (0, 10], got -1"),
        (("--statistics", "fresh"), "batch, recalibrated, stale, got fresh"),
        (("--steps", -1), "steps must be in [0, 100000], got -1"),
        (("--workers", 0), "workers must be in [1, 64], got 0"),
    ):
        said = refused("learn", "--study", study_path, *arguments)
        assert words in said.splitlines()[-1], (arguments, said)


@pytest.mark.slow
def test_a_taken_port_is_one_sentence_and_the_next_is_used() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = kill_when("explorer:", "app", "--port", port, sig=signal.SIGINT)
        assert f"Port {port} is taken; using {port + 1} instead." in said
        assert code == 130


def test_weights_that_overflow_are_refused_for_what_they_are(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state, file = build_model("cifar_resnet8", 10).state_dict(), tmp_path / "huge.safetensors"
    signs = {name: torch.rand_like(value).sub(0.5).sign() for name, value in state.items() if value.is_floating_point()}
    new = ("new", "--study", tmp_path / "x", "--model", "cifar_resnet8", "--data", "digits", "--weights", file)
    for part in ("conv", "bn1.weight"):  # the sum of a convolution overflows, or what follows a norm
        huge = {name: 1e38 * value for name, value in signs.items() if part in name}
        save_file({**state, **huge}, file)
        for command in (new, ("inspect", "--model", "cifar_resnet8", "--weights", file)):
            said = refused(*command)
            assert "so its weights are too large for float32 (the largest is 1.0e+38, in " in said
    assert not (tmp_path / "x").exists()
