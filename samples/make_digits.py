"""Make the sample study `digits-resnet20`, from training to measuring; complete without a network.

    python -m samples.make_digits [--out samples/digits-resnet20]

It takes about three minutes on two cores that do nothing else. Every number in the sample comes from this script.
"""

import argparse
import logging
import tempfile
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
from legr.training.settings import RECIPES, SCRATCH
from legr.training.supernet_settings import SupernetSettings
from samples.publish import publish

MODEL, DATA, SPLIT_SEED = "cifar_resnet20", "digits", 0
TRAINING = replace(SCRATCH, epochs=30, lr=0.1, batch=64, weight_decay=1e-3)
TOGETHER = SupernetSettings(epochs=10, lr=0.1, batch=64, average=0.99, weights=4)
FINE_TUNED = (0.5, 0.3, 0.15)
NOTE = (
    "A ResNet-20 on scikit-learn's handwritten digits, trained by this program. Small enough to learn, fine-tune and "
    "export in seconds, and it needs no internet: a place to try everything."
)


def main() -> None:
    """Run every step through the code that the commands run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "digits-resnet20")
    out: Path = parser.parse_args().out
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    echo, device = terminal.Echo(), torch.device("cpu")
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.safetensors"
        task = TrainTask(weights, find_spec(MODEL), DATA, TRAINING, split_seed=SPLIT_SEED, half=True)
        train_weights(task, device, echo)
        images = ImageSource(DATA, "dataset", SPLIT_SEED)
        study = create(Path(folder) / out.name, NetworkSource(MODEL, weights), images, echo)
        made = profile(study, ProfileRequest(), device, echo)
        study.save_constraints(Constraints(multiple=made.multiple, blocks=True))
        name = ProfileRequest().file_name(conditions_here("onnxruntime", device))
        run_learn(study, search_task(study, LearnRequest(cost="macs", blocks=False)), device, echo)
        for_latency = LearnRequest(cost="latency", device_profile=name, blocks=True)
        run_learn(study, search_task(study, for_latency), device, echo)
        for budget in FINE_TUNED:
            run_finetune(study, Budget(macs=budget), Tuning(RECIPES["short"], half=True), device, echo)
        run_supernet(study, TOGETHER, device, echo, half=True)
        measure(study, MeasureRequest(), device, echo)  # last, so that the trained networks are timed among the others
        classes(study, ClassesRequest(), device, echo)
        publish(study, out, NOTE)


if __name__ == "__main__":
    main()
