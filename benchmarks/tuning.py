"""What fine-tuning wins, and what of it: rows of fine-tuned networks, each stored when its run has finished.

    python -m benchmarks.tuning rates|ablation|classes|published --studies DIR [--seeds N ...] [--threads N]

Trains what has no row yet in `benchmarks/results/tuning.json`, and goes on where it was stopped; `benchmarks.report`
puts the rows into docs/results.md. DIR holds the studies `r20`, `r20-3` (three of the classes) and `r56`, each made and
learned by `python -m legr learn`:

    learn --study DIR/r20   --model cifar_resnet20 --weights resnet20-12fca82f.th --data cifar10
    learn --study DIR/r20-3 --model cifar_resnet20 --weights resnet20-12fca82f.th --data cifar10 \\
          --classes airplane,ship,truck
    learn --study DIR/r56   --model cifar_resnet56 --weights resnet56-4bfd9763.th --data cifar10

with the weights of github.com/akamaster/pytorch_resnet_cifar10.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from legr.cli import terminal
from legr.commands.evaluate import evaluate
from legr.commands.finetune import Tuning, run_finetune
from legr.commands.images import images_of
from legr.commands.network import choose_statistics, network_at
from legr.commands.original import original
from legr.files import read_json, write_json
from legr.models.weights import load_weights
from legr.ranking.limits import Budget
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study
from legr.training.device import pick_device
from legr.training.evaluate import evaluate_split
from legr.training.settings import RECIPES, settings_of_recipe

RESULTS = Path(__file__).parent / "results" / "tuning.json"


@dataclass(frozen=True)
class Row:
    """One network to be fine-tuned."""

    study: str
    budget: float
    ranking: RankingName = "learned"
    recipe: str = "short"
    changes: Mapping[str, Any] = field(default_factory=dict)
    among: tuple[str, ...] = ()  # classes among which it is asked as well


#: All that may help, and then all but one of it, at 30 % of a ResNet-20.
EVERYTHING = {"average": 0.99}
ABLATION = {
    "everything": Row("r20", 0.3, changes=EVERYTHING),
    "without the teacher": Row("r20", 0.3, changes={**EVERYTHING, "distill": False}),
    "steps in place of the cosine": Row(
        "r20",
        0.3,
        recipe="paper",
        changes={**EVERYTHING, "epochs": 10, "distill": True, "warmup": RECIPES["short"].warmup},
    ),
    "without the average of the weights": Row("r20", 0.3),
    "identity in place of the learned ranking": Row("r20", 0.3, "identity", changes=EVERYTHING),
    "uniform in place of the learned ranking": Row("r20", 0.3, "uniform", changes=EVERYTHING),
}
RATES = {f"{rate:g}": Row("r20", 0.3, changes={"lr": rate}) for rate in (0.01, 0.05, 0.15)}
THREE = ("airplane", "ship", "truck")
CLASSES = {
    f"{classes} classes, {100 * budget:g} %": Row(study, budget, among=THREE)
    for classes, study, budgets in ((3, "r20-3", (0.5, 0.3, 0.2, 0.1, 0.05)), (10, "r20", (0.5, 0.3, 0.2, 0.1)))
    for budget in budgets
}
CLASSES |= {  # as many steps as the networks of ten classes take in ten epochs
    f"3 classes, {100 * budget:g} %, 30 epochs": Row("r20-3", budget, recipe="standard", among=THREE)
    for budget in (0.2, 0.1)
}
PUBLISHED = {f"ResNet-56, 47 %, {recipe}": Row("r56", 0.47, recipe=recipe) for recipe in ("short", "standard")}
TABLES = {"rates": RATES, "ablation": ABLATION, "classes": CLASSES, "published": PUBLISHED}


def main() -> None:
    """Fine-tune the rows of a table that are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--studies", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    for seed in given.seeds:
        for name, row in TABLES[given.table].items():
            if str(seed) not in rows_of(given.table).get(name, {}):
                found = tuned(Study.open(given.studies / row.study), row, seed)
                rows = read_json(RESULTS) if RESULTS.exists() else {}
                rows.setdefault(given.table, {}).setdefault(name, {})[str(seed)] = found
                write_json(RESULTS, rows)
                print(given.table, name, seed, f"{100 * found['top1']:.2f} %", flush=True)


def tuned(study: Study, row: Row, seed: int) -> dict[str, Any]:
    """Fine-tune one row; its figures, those of its original, and what made it."""
    device, echo = pick_device("auto"), terminal.Echo()
    settings = settings_of_recipe(row.recipe, {**row.changes, "seed": seed})
    found = run_finetune(study, Budget(macs=row.budget), Tuning(settings, ranking=row.ranking), device, echo)
    run = next(run for run in study.finetuned if run.key == Path(found.weights).stem)
    original = evaluate(study, Budget(macs=1.0), "identity", False, device, echo)
    figures = {name: getattr(run, name) for name in ("macs_fraction", "top1_before", "top1", "heldout_top1")}
    if row.among:
        own = set(study.info.classes) == set(row.among)
        figures["among"] = run.top1 if own else among(study, Budget(macs=row.budget), run, row.among, device)
    return {"original": original.top1, **figures, "made": run.provenance.to_dict()}


def among(study: Study, budget: Budget, run: FineTuned, classes: Sequence[str], device: torch.device) -> float:
    """Top-1 of a fine-tuned network where it is told that an image is of one of some classes: on their test images."""
    network = network_at(study, original(study), budget, finetuned=False)
    load_weights(network.model, study.finetuned_weights(run.key))
    dataset = images_of(study)
    model = choose_statistics(study, network, dataset, device).model
    answers = _Among(model, [dataset.classes.index(name) for name in classes])
    return evaluate_split(answers, dataset.of_classes(classes).test, study.info.normalization, device=device).top1


class _Among(nn.Module):
    def __init__(self, network: nn.Module, places: list[int]) -> None:
        super().__init__()
        self.network, self.places = network, places

    def forward(self, x: Tensor) -> Tensor:
        answers: Tensor = self.network(x)[:, self.places]
        return answers


def rows_of(table: str) -> dict[str, dict[str, Any]]:
    """Finished rows of a table, by name, then seed."""
    found: dict[str, dict[str, Any]] = read_json(RESULTS).get(table, {}) if RESULTS.exists() else {}
    return found


if __name__ == "__main__":
    main()
