"""Training: killed and resumed it gives the same weights; the best epoch is kept; it finds back from no number."""

import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from legr.data.images import Dataset, Split
from legr.data.load import load_dataset
from legr.errors import SettingsError
from legr.models.weights import save_weights
from legr.models.zoo import build_model, find_spec
from legr.progress import Progress, silent
from legr.training import teacher as teacher_module
from legr.training import train as train_module
from legr.training.device import fast_dtype
from legr.training.evaluate import evaluate_split
from legr.training.losses import loss_of
from legr.training.settings import TrainSettings
from legr.training.state import TrainingState
from legr.training.teacher import Teacher
from legr.training.train import Trained, train

CPU = torch.device("cpu")
EPOCH = 21  # batches of 64: 1,294 images
TAUGHT = TrainSettings(epochs=4, batch=64, lr=0.1, average=0.9, smoothing=0.1, clip=2.0)

pytestmark = pytest.mark.slow


class Tiny(nn.Module):
    """One convolution, one norm, dropout, one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.dropout(F.relu(self.norm(self.conv(x))).mean((2, 3)), 0.1, self.training)
        out: Tensor = self.head(x)
        return out


class Killed(Exception):
    """Stands for the end of a process after an epoch was written down."""


@cache
def digits() -> Dataset:
    return load_dataset("digits", (3, 8, 8))


def tiny(seed: int = 0) -> Tiny:
    torch.manual_seed(seed)
    return Tiny()


def teacher() -> Teacher:
    return Teacher(tiny(1), CPU)


def run(settings: TrainSettings, checkpoint: Path, model: nn.Module | None = None, kill_after: int = -1) -> Trained:
    def report(progress: Progress) -> None:
        if progress.done == kill_after:
            raise Killed

    data = digits()
    return train(
        model or tiny(),
        Teacher(tiny(1), CPU),
        data,
        data.statistics(),
        settings,
        device=CPU,
        checkpoint=checkpoint,
        report=report,
    )


def assert_same(one: nn.Module, other: nn.Module) -> None:
    for (name, a), b in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_killed_and_resumed_it_ends_the_same(tmp_path: Path) -> None:
    whole = run(TAUGHT, tmp_path / "whole.safetensors")
    for epoch in (1, 3):
        with pytest.raises(Killed):
            run(TAUGHT, tmp_path / "killed.safetensors", kill_after=epoch)
    resumed = run(TAUGHT, tmp_path / "killed.safetensors")
    assert (whole.resumed_from, resumed.resumed_from) == (0, 3)
    assert_same(whole.model, resumed.model)
    untimed = [[{k: v for k, v in row.items() if k != "seconds"} for row in r.curve] for r in (whole, resumed)]
    assert untimed[0] == untimed[1]


def test_another_run_does_not_go_on_from_its_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(TAUGHT, tmp_path / "c.safetensors", kill_after=1)
    assert run(replace(TAUGHT, seed=1), tmp_path / "c.safetensors").resumed_from == 0


def test_a_damaged_checkpoint_begins_anew(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(TAUGHT, tmp_path / "c.safetensors", kill_after=1)
    content = (tmp_path / "c.safetensors").read_bytes()
    (tmp_path / "c.safetensors").write_bytes(content[: len(content) // 2])
    assert run(TAUGHT, tmp_path / "c.safetensors").resumed_from == 0


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_checkpoint_of_another_network_begins_anew(tmp_path: Path, average: float) -> None:
    settings = replace(TAUGHT, average=average)
    with pytest.raises(Killed):
        run(settings, tmp_path / "c.safetensors", nn.Sequential(nn.Flatten(), nn.Linear(192, 10)), kill_after=1)
    assert run(settings, tmp_path / "c.safetensors").resumed_from == 0


def test_the_rate_is_that_of_the_steps_that_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, asked = digits(), []
    few = Split(data.train.images[:129], data.train.labels[:129])  # one image is left over, so an epoch is one step
    rate = TrainSettings.rate
    monkeypatch.setattr(TrainSettings, "rate", lambda self, *steps: (asked.append(steps), rate(self, *steps))[1])
    settings = TrainSettings(epochs=2, batch=128, distill=False)
    train(
        tiny(), None, replace(data, train=few), data.statistics(), settings,
        device=CPU, checkpoint=tmp_path / "c.safetensors", report=silent,
    )  # fmt: skip
    assert asked == [(0, 2), (1, 2)]
    with pytest.raises(SettingsError, match="at least two images"):
        one = replace(data, train=Split(data.train.images[:1], data.train.labels[:1]))
        train(
            tiny(), None, one, data.statistics(), settings,
            device=CPU, checkpoint=tmp_path / "d.safetensors", report=silent,
        )  # fmt: skip


def test_the_network_is_that_of_the_best_epoch(tmp_path: Path) -> None:
    trained = run(replace(TAUGHT, lr=1.5, average=0.0, clip=0.0, warmup=0.9), tmp_path / "c.safetensors")
    tops = [row["heldout_top1"] for row in trained.curve]
    assert tops[trained.best_epoch] == max(tops)
    data = digits()
    found = evaluate_split(trained.model, data.heldout, data.statistics(), device=CPU, dtype=fast_dtype(CPU))
    assert found.top1 == max(tops)


def test_a_loss_that_is_no_number_halves_the_rate_and_goes_on(tmp_path: Path) -> None:
    class Fragile(Tiny):
        """Predictions without sense once its weights have grown."""

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) / (self.head.weight.abs().max() < 1.2)

    torch.manual_seed(0)
    wild = replace(TAUGHT, lr=4.0, average=0.0, clip=0.0)
    trained = run(wild, tmp_path / "c.safetensors", Fragile())
    slower = [row["slower"] for row in trained.curve]
    assert 0.5**5 <= slower[-1] < 1
    assert len(trained.curve) == 4


def test_a_rate_that_never_works_is_said(tmp_path: Path) -> None:
    model = tiny()
    with torch.no_grad():
        model.head.bias.fill_(torch.nan)
    with pytest.raises(SettingsError, match="NaN or infinite in epoch 1"):
        run(TAUGHT, tmp_path / "c.safetensors", model)


def test_good_epochs_are_kept_where_a_later_one_never_works(tmp_path: Path) -> None:
    class Failing(Tiny):
        """Predictions without sense in training, from its third epoch on."""

        batches: ClassVar[int] = 0

        def forward(self, x: Tensor) -> Tensor:
            Failing.batches += self.training
            return super().forward(x) / (Failing.batches <= 2 * EPOCH)

    trained = run(TAUGHT, tmp_path / "c.safetensors", Failing())
    assert len(trained.curve) == 2
    assert trained.curve[trained.best_epoch]["heldout_top1"] > 0.1


def test_within_an_epoch_it_says_how_long_the_rest_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Progress] = []
    monkeypatch.setattr(train_module, "REPORT_EVERY_S", 0.0)
    data, settings, file = digits(), replace(TAUGHT, epochs=2), tmp_path / "c.safetensors"
    train(
        tiny(),
        Teacher(tiny(1), CPU),
        data,
        data.statistics(),
        settings,
        device=CPU,
        checkpoint=file,
        report=said.append,
    )
    within = [progress for progress in said if not progress.values]
    assert [progress.done for progress in within] == [0] * EPOCH + [1] * EPOCH
    assert all(progress.seconds_left and progress.seconds_left > 0 for progress in within[:-1])
    assert [progress.done for progress in said if progress.values] == [1, 2]


def test_a_resumed_run_tells_of_its_earlier_epochs(tmp_path: Path) -> None:
    said: list[Progress] = []
    data, settings, file = digits(), replace(TAUGHT, epochs=3), tmp_path / "c.safetensors"
    with pytest.raises(Killed):
        run(settings, file, kill_after=2)
    train(
        tiny(),
        Teacher(tiny(1), CPU),
        data,
        data.statistics(),
        settings,
        device=CPU,
        checkpoint=file,
        report=said.append,
    )
    assert [progress.done for progress in said if progress.values] == [1, 2, 3]


def test_norms_and_offsets_do_not_decay(tmp_path: Path) -> None:
    model = tiny()
    groups = TrainingState(
        model, TrainSettings(weight_decay=0.01), tmp_path / "none.safetensors"
    ).optimizer.param_groups
    decaying = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    assert decaying == {id(model.conv.weight), id(model.head.weight)}


def test_restarted_norms_begin_anew_and_all_else_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny()
    with torch.no_grad():
        for values in (network.norm.weight, network.norm.bias, network.norm.running_mean, network.norm.running_var):
            assert values is not None
            values.fill_(3.0)
    begun: list[dict[str, Tensor]] = []

    def fit(model: nn.Module, *_: object) -> Trained:
        begun.append({name: values.clone() for name, values in model.state_dict().items()})
        return Trained(model, (), 0, 0)

    monkeypatch.setattr(train_module, "fit", fit)
    for restart in (0, 1):
        settings = TrainSettings(epochs=1, restart_norms=restart, distill=False)
        statistics, device = digits().statistics(), CPU
        train(network, None, digits(), statistics, settings, device=device, checkpoint=tmp_path / "c", report=silent)
    kept, anew = begun
    assert all(torch.equal(values, network.state_dict()[name]) for name, values in kept.items())
    expected = {"norm.weight": 1, "norm.bias": 0, "norm.running_mean": 0, "norm.running_var": 1}
    for name, values in anew.items():
        wanted = torch.full_like(values, expected[name]) if name in expected else kept[name]
        assert torch.equal(values, wanted), name


def test_the_average_is_what_its_definition_says(tmp_path: Path) -> None:
    model = tiny()
    state = TrainingState(model, TrainSettings(average=0.75), tmp_path / "none.safetensors")
    assert state.average is not None
    expected = None
    for number, value in enumerate((1.0, 2.0, 5.0, *[7.0] * 40)):
        with torch.no_grad():
            model.head.bias.fill_(value)
        state.average.update_parameters(model)
        decay = min(0.75, (1 + number) / (10 + number))  # it follows more closely in the first steps
        expected = value if expected is None else decay * expected + (1 - decay) * value
    evaluated = state.evaluated
    assert isinstance(evaluated, Tiny)
    assert torch.allclose(evaluated.head.bias, torch.full((10,), expected))


def test_indices_and_counters_are_the_networks_own_in_the_average(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = build_model(find_spec("cifar_resnet8"), 10)
    state = TrainingState(model, TrainSettings(average=0.9), tmp_path / "none.safetensors")
    assert state.average is not None
    whole = {name: value.clone() for name, value in model.named_buffers() if not value.is_floating_point()}
    assert any(value.max() > 16 for value in whole.values())  # a shortcut's channels
    for _ in range(5):
        state.average.update_parameters(model)
    averaged = dict(state.evaluated.named_buffers())
    assert all(torch.equal(averaged[name], value) for name, value in whole.items())


def test_the_loss_by_hand() -> None:
    logits, taught = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    labels = torch.tensor([0])
    settings = TrainSettings(smoothing=0.2, teacher_weight=0.25, temperature=2.0)
    log_p = logits.log_softmax(1)[0]
    hard = -(0.9 * log_p[0] + 0.1 * log_p[1])
    q, log_q, log_soft = (taught / 2).softmax(1)[0], (taught / 2).log_softmax(1)[0], (logits / 2).log_softmax(1)[0]
    soft = (q * (log_q - log_soft)).sum()
    assert loss_of(logits, labels, None, settings).item() == pytest.approx(hard.item())
    assert loss_of(logits, labels, taught, settings).item() == pytest.approx((0.75 * hard + 0.25 * 4 * soft).item())


def test_a_gradient_is_cut_to_its_largest_norm(tmp_path: Path) -> None:
    data, model = digits(), tiny()
    settings = TrainSettings(epochs=1, batch=len(data.train), lr=0.5, momentum=0.0, weight_decay=0.0, clip=1e-3)
    trained = train(
        model, None, data, data.statistics(), settings,
        device=CPU, checkpoint=tmp_path / "c.safetensors", report=silent,
    ).model  # fmt: skip
    moved = torch.cat([(a - b).flatten() for a, b in zip(trained.parameters(), model.parameters(), strict=True)])
    assert moved.norm().item() == pytest.approx(0.5 * 1e-3, rel=1e-2)


class Counting(nn.Module):
    """A teacher that counts the batches it is asked about, its copies included."""

    asked: ClassVar[list[int]] = []

    def __init__(self) -> None:
        super().__init__()
        self.inner = tiny(1)

    def forward(self, x: Tensor) -> Tensor:
        self.asked.append(len(x))
        answer: Tensor = self.inner(x)
        return answer


def taught(cache_folder: Path | None, checkpoint: Path, model: nn.Module, epochs: int = 2) -> Trained:
    Counting.asked.clear()
    data = digits()
    settings = replace(TAUGHT, epochs=epochs)
    return train(
        model,
        Teacher(Counting(), CPU, cache_folder),
        data,
        data.statistics(),
        settings,
        device=CPU,
        checkpoint=checkpoint,
        report=silent,
    )


def test_what_the_teacher_said_is_asked_once_for_all_networks_and_changes_nothing(tmp_path: Path) -> None:
    logits, images = tmp_path / "logits", len(digits().train)
    alone = taught(None, tmp_path / "a.safetensors", tiny())
    assert sum(Counting.asked) == 2 * images and not logits.exists()
    first = taught(logits, tmp_path / "b.safetensors", tiny())
    assert sum(Counting.asked) == 2 * images
    second = taught(logits, tmp_path / "c.safetensors", tiny())
    assert Counting.asked == []
    for name, tensor in alone.model.state_dict().items():
        assert torch.equal(tensor, first.model.state_dict()[name])
        assert torch.equal(tensor, second.model.state_dict()[name])
    taught(logits, tmp_path / "d.safetensors", tiny(5), epochs=3)  # another network, one epoch more
    assert sum(Counting.asked) == images
    for file, content in ((0, b"torn"), (1, None)):  # damaged, or of other images
        path = logits / f"{file}.safetensors"
        path.write_bytes(content) if content else save_weights({"answers": torch.zeros(3, 10)}, path)
    again = taught(logits, tmp_path / "e.safetensors", tiny())
    assert sum(Counting.asked) == 2 * images
    assert torch.equal(again.model.state_dict()["head.weight"], alone.model.state_dict()["head.weight"])


def test_answers_that_would_fill_the_disk_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher_module, "LARGEST", 1000)
    taught(tmp_path / "logits", tmp_path / "a.safetensors", tiny())
    assert not (tmp_path / "logits").exists()


def test_answers_asked_for_longest_ago_make_room_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / "logits" / name for name in ("one", "two", "three")]
    for number, logits in enumerate(folders[:2]):
        taught(logits, tmp_path / f"{number}.safetensors", tiny())
    kept = sorted(folders[0].parent.glob("*/*"))
    assert [file.parent.name for file in kept] == ["one", "one", "two", "two"]
    for age, file in enumerate((*sorted(folders[1].glob("*")), *sorted(folders[0].glob("*")))):
        os.utime(file, (1000 + age, 1000 + age))
    taught(folders[1], tmp_path / "again.safetensors", tiny())  # known, and asked for just now
    assert Counting.asked == []
    monkeypatch.setattr(teacher_module, "ROOM", 4 * kept[0].stat().st_size)
    taught(folders[2], tmp_path / "new.safetensors", tiny())
    assert sorted(file.parent.name for file in folders[0].parent.glob("*/*")) == ["three", "three", "two", "two"]


def test_a_run_of_a_network_that_asks_for_its_version_is_read_again(tmp_path: Path) -> None:
    """MNASNet wants to know by which version its state was written, and a file of tensors does not tell."""
    settings = TrainSettings(epochs=2, average=0.9)
    row = {"loss": 1.0, "heldout_top1": 0.5, "heldout_loss": 1.0, "seconds": 1.0}
    run = TrainingState(build_model("mnasnet0_5", 10), settings, tmp_path / "c.safetensors")
    assert run.average is not None
    with torch.no_grad():
        next(run.average.parameters()).add_(1)
    run.finish_epoch(row)
    again = TrainingState(build_model("mnasnet0_5", 10, seed=1), settings, tmp_path / "c.safetensors")
    assert again.average is not None and len(again.curve) == 1
    assert torch.equal(next(again.average.parameters()), next(run.average.parameters()))
    assert again.fall_back()


def test_a_network_that_was_evaluated_in_float32_trains_on() -> None:
    """Where there is no bfloat16 it is no copy that held-out images judge."""
    narrow = nn.Conv2d(1, 1, 1)  # whose weights have to be laid out anew for channels last
    network, data = nn.Sequential(nn.Conv2d(3, 1, 1), narrow, nn.Flatten(), nn.Linear(64, 10)), digits()
    evaluate_split(network, data.heldout, data.statistics(), device=CPU)
    network.train()(torch.randn(2, 3, 8, 8)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
