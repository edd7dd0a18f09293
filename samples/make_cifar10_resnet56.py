"""Make the sample study `cifar10_resnet56`, from training to measuring; goes on where it was stopped.

    python -m samples.make_cifar10_resnet56 --work DIR [--data cifar10] [--steps train profile …]

It takes hours on two cores with bf16. Everything is made in DIR by what the commands run, one step after the other; a
step that is finished is not done again. `publish` copies what is there by then into the repository, so that a network
is in the sample only when its run has finished.
"""

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import torch

from legr.cli import terminal
from legr.commands.classes import classes
from legr.commands.create import ImageSource, NetworkSource, create
from legr.commands.finetune import Tuning, run_finetune
from legr.commands.learn import run_learn, search_task
from legr.commands.measure import measure
from legr.commands.profile import profile
from legr.commands.supernet import run_supernet
from legr.commands.train import TrainTask, train_weights
from legr.deploy.latency import conditions_here
from legr.models.zoo import find_spec
from legr.ranking.constraints import Constraints
from legr.ranking.limits import Budget
from legr.requests.learn import LearnRequest
from legr.requests.measure import ClassesRequest, MeasureRequest
from legr.requests.profile import ProfileRequest
from legr.study.records import RankingName
from legr.study.store import Study
from legr.training.device import pick_device
from legr.training.settings import RECIPES, SCRATCH, with_changes
from legr.training.supernet_settings import SupernetSettings
from samples.publish import publish

NAME, MODEL = "cifar10_resnet56", "cifar_resnet56"
#: Measured last, so that trained networks are too.
STEPS = ("train", "profile", "learn", "tune", "together", "measure", "publish")
#: One after the other: 60 epochs in two runs, each 80 to 90 minutes on two free cores.
CYCLES = {
    f"{NAME}.safetensors": with_changes(SCRATCH, {"epochs": 30}),
    f"{NAME}-2.safetensors": with_changes(SCRATCH, {"epochs": 30, "lr": 0.15, "warmup": 0.1, "seed": 1}),
}
EFFORT = 180  # passes of each search
#: At fractions of the predicted latency, on the device that made the sample.
TUNED: tuple[tuple[RankingName, float], ...] = (
    *((ranking, share) for share in (0.5, 0.3) for ranking in ("learned-ms", "learned")),
    ("uniform", 0.5),
)
TOGETHER = SupernetSettings(epochs=8, weights=8)
NOTE = (
    "A ResNet-56 on CIFAR-10, trained, ranked, pruned and fine-tuned by this program. Drag the budget: the networks of "
    "all budgets were trained together, and can be exported as they are. Some were fine-tuned further. Its ranking was "
    "learned for the milliseconds of one processor, and whole blocks may leave; one learned for MACs, and others, are "
    "there to compare with. To learn or fine-tune here, CIFAR-10 is downloaded once (170 MB)."
)


def main() -> None:
    """Run the steps that are asked for through the code that the commands run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for the weights and the study")
    parser.add_argument("--data", default="cifar10", help="cifar10, or a folder that holds it")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device, echo = pick_device(given.device), terminal.Echo()
    if "train" in given.steps:
        _train(given.work, given.data, device)
    study = _study(given.work / NAME, given.work / list(CYCLES)[-1], given.data)
    name = ProfileRequest().file_name(conditions_here("onnxruntime", device))
    if "profile" in given.steps:
        made = profile(study, ProfileRequest(), device, echo)  # at once, where it is finished
        study.save_constraints(Constraints(multiple=made.multiple, blocks=True))
    if "learn" in given.steps:
        for_macs = LearnRequest(candidates=EFFORT, cost="macs", blocks=False)
        for request in (for_macs, replace(for_macs, cost="latency", device_profile=name, blocks=True)):
            run_learn(study, search_task(study, request), device, echo)
    if "tune" in given.steps:
        recipe = RECIPES["standard" if device.type == "cuda" else "short"]
        for ranking, share in TUNED:
            budget = Budget(latency=share, device_profile=name)
            run_finetune(study, budget, Tuning(recipe, ranking=ranking, half=True), device, echo)
    if "together" in given.steps:
        run_supernet(study, TOGETHER, device, echo, half=True)
    if "measure" in given.steps:
        measure(study, MeasureRequest(), device, echo)
        classes(study, ClassesRequest(), device, echo)
    if "publish" in given.steps:
        publish(study, Path(__file__).parent / NAME, NOTE)


def _train(work: Path, data: str, device: torch.device) -> None:
    """Every cycle begins with the weights that the one before it ended with."""
    first = None
    for name, settings in CYCLES.items():
        if not (work / name).exists():
            task = TrainTask(work / name, find_spec(MODEL), data, settings, "dataset", first=first, half=True)
            train_weights(task, device, terminal.Echo())
        first = work / name


def _study(path: Path, weights: Path, data: str) -> Study:
    if (path / "study.json").exists():
        return Study.open(path)
    return create(path, NetworkSource(MODEL, weights), ImageSource(data, "dataset"), terminal.Echo())


if __name__ == "__main__":
    main()
