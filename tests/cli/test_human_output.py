"""What every command says without `--json`: a sentence, whatever a result lacks."""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from legr.cli import sentences
from legr.commands.results import Evaluation
from legr.models.zoo import build_model
from tests.cli.processes import called

EVALUATION = Evaluation(0.9321, 0.25, 100, False, False, 10, 0.5, 5, "learned")


def test_evaluate() -> None:
    assert sentences.evaluation(EVALUATION) == "93.21 % top-1 on 100 test images, loss 0.2500"
    both = replace(EVALUATION, recalibrated=True, finetuned=True)
    assert sentences.evaluation(both) == "93.21 % top-1 on 100 test images (recalibrated, finetuned), loss 0.2500"
    tuned = replace(EVALUATION, finetuned=True, loss=None)
    assert sentences.evaluation(tuned) == (
        "93.21 % top-1 on 100 test images (finetuned), no loss, as an output is NaN or infinite"
    )


def test_evaluate_a_network_whose_outputs_overflow(own_folders: Path) -> None:
    weights = build_model("cifar_resnet8", 10).state_dict()
    weights["linear.weight"] = torch.full_like(weights["linear.weight"], 3e38)
    save_file(weights, own_folders / "overflow.safetensors")
    study = own_folders / "overflow"
    made = ("--model", "cifar_resnet8", "--weights", own_folders / "overflow.safetensors", "--data", "digits")
    called("new", "--study", study, *made, "--input", "1x3x8x8", "--normalize", "dataset")
    said, _ = called("evaluate", "--study", study)
    assert said.endswith("% top-1 on 359 test images, no loss, as an output is NaN or infinite\n")
    assert called("evaluate", "--study", study, "--json")[0]["loss"] is None
