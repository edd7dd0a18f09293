"""What every command says without `--json`: a sentence, whatever a result lacks."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from legr.cli import sentences
from legr.commands import evaluate as evaluating
from legr.commands.original import original
from legr.progress import silent
from legr.ranking.limits import Budget
from legr.structure.types import Remark, Uncounted
from legr.study.catalog import SAMPLES
from legr.study.store import Study
from tests.cli.processes import called
from tests.commands import results_by_hand as by_hand


def test_inspect() -> None:
    assert sentences.inspection(by_hand.INSPECTION).splitlines() == [
        "net on 1x3x8x8: 24 units in 2 layers and 1 groups; 2.5 M MACs, 0.002 M parameters, 1.0 MiB of activations",
        "97.5 % of the MACs can be pruned, down to 12.5 % of MACs and 25.0 % of parameters; traced in 0.3 s, "
        "zeroed = removed to 3e-16",
        "",
        "channels  unprunable because",
        "      10  output: they are the outputs",
        "          in the model",
        "       8  split: halves stay as large (leave together)",
        "          in stage",
        "       1  parameters are never read: aux.weight",
        "       1  norms run over channels: norm",
    ]


def test_inspect_a_model_all_of_which_can_be_pruned() -> None:
    result = replace(by_hand.INSPECTION, unprunable=(), coupled=(), exempt=(), untouched=())
    assert len(sentences.inspection(result).splitlines()) == 2


def test_inspect_names_a_few_of_many() -> None:
    remarks = tuple(Remark(f"m{i}", "view", f"reason {i % 21}", 1) for i in range(63))
    result = replace(by_hand.INSPECTION, unprunable=remarks, coupled=(), untouched=("a", "b", "c"))
    lines = sentences.inspection(result).splitlines()
    assert lines[5] == "          in m0, m21 and 1 more"
    assert lines[-3:] == [
        "          1 further reasons: --json lists all",
        "       3  parameters are never read: a, b, …",
        "       1  norms run over channels: norm",
    ]


def test_uncounted_operations_are_named_beside_every_fraction() -> None:
    uncounted = (Uncounted("mix", "own::product"),)
    note = "1 operation is not counted in the MACs: own::product in mix."
    assert sentences.inspection(replace(by_hand.INSPECTION, uncounted=uncounted)).splitlines()[2] == note
    assert sentences.new_study(replace(by_hand.NEW_STUDY, uncounted=uncounted)).splitlines()[1] == note
    assert sentences.network(replace(by_hand.NETWORK, uncounted=uncounted)).splitlines()[1] == note
    assert sentences.reach(replace(by_hand.REACH, uncounted=uncounted)).splitlines()[2] == note


def test_layers_that_the_example_does_not_reach_are_named_with_what_stays_for_them() -> None:
    def said(*layers: tuple[str, int]) -> list[str]:
        remarks = tuple(Remark(name, "unreached", "no example runs them", channels) for name, channels in layers)
        return [
            sentences.inspection(replace(by_hand.INSPECTION, unprunable=remarks)).splitlines()[2],
            sentences.new_study(replace(by_hand.NEW_STUDY, unprunable=remarks)).splitlines()[1],
            sentences.network(replace(by_hand.NETWORK, unprunable=remarks)).splitlines()[1],
        ]

    one = "The example does not reach aux, which could read channels that pruning removes: 16 channels stay for that."
    assert said(("aux", 16)) == [one] * 3
    assert "does not reach a, b, c and 1 more, which" in said(("a", 1), ("b", 0), ("c", 0), ("d", 0))[0]
    assert "1 channel stays for that." in said(("", 1))[1]


def test_new() -> None:
    said = "s: 24 removable units in 2 layers, 2.5 M MACs, floor 12.5 %; zeroed = removed to 3e-16"
    assert sentences.new_study(by_hand.NEW_STUDY) == said
    assert sentences.new_study(replace(by_hand.NEW_STUDY, thop_macs=None, unprunable=())) == said


def test_data() -> None:
    assert sentences.located_images(by_hand.LOCATED_IMAGES) == "the images are found"


def test_show() -> None:
    head = "learned ranking, 50.00 % of the MACs (1.25 M), 0.002 M parameters"
    rows = ["    16 of 16     conv1", "     8 of 16     conv2"]
    assert sentences.network(by_hand.NETWORK).splitlines() == [f"{head}, 0.069 MB of activations", *rows]
    uncounted = replace(by_hand.NETWORK, activation=0, original_activation=0, finetuned_top1=None, unprunable=())
    assert sentences.network(uncounted).splitlines() == [head, *rows]
    assert sentences.network(replace(uncounted, layers=())) == head


def test_shape() -> None:
    within = "within reach on the learned ranking, in 21 steps: 10.84 % of the MACs, 4.56 % of the parameters"
    assert sentences.reach(by_hand.REACH).splitlines() == ["multiples of 8", within]
    assert sentences.reach(replace(by_hand.REACH, words="")).splitlines() == ["no shape is asked for", within]


def test_evaluate() -> None:
    result = by_hand.EVALUATION
    assert sentences.evaluation(result) == "93.21 % top-1 on 100 test images, loss 0.2500"
    both = replace(result, recalibrated=True, finetuned=True)
    assert sentences.evaluation(both) == "93.21 % top-1 on 100 test images (recalibrated, finetuned), loss 0.2500"
    tuned = replace(result, finetuned=True, loss=None)
    assert sentences.evaluation(tuned) == (
        "93.21 % top-1 on 100 test images (finetuned), no loss, as an output is NaN or infinite"
    )


def test_what_batch_norms_are_recalibrated_on_is_told() -> None:
    plain, black = "plain training images", "augmented training images (cropped from a border of black)"
    assert f"(recalibrated on {black})" in sentences.evaluation(
        replace(by_hand.EVALUATION, recalibrated=True, calibration="augmented-black")
    )
    exported = replace(by_hand.EXPORT_RESULT, recalibrated=True, calibration="plain")
    assert sentences.export(exported).endswith(f"; batch norms recalibrated on {plain}")
    compared = replace(by_hand.COMPARISON_RESULT, recalibrated=True, calibration="augmented-black")
    assert sentences.comparison(compared).endswith(f"; batch norms recalibrated on {black}")
    for said in (
        sentences.measurement(replace(by_hand.MEASUREMENT, calibration="plain")),
        sentences.finetuning(replace(by_hand.FINETUNE_RESULT, calibration="plain")),
    ):
        assert said.endswith(f"; batch norms are recalibrated on {plain} where that is better on held-out images")
    own = replace(by_hand.EVALUATION, recalibrated=False, calibration="plain")
    assert "recalibrated" not in sentences.evaluation(own)
    for report in (
        sentences.network(replace(by_hand.NETWORK, calibration_words=f"{plain}, as was chosen")),
        sentences.new_study(replace(by_hand.NEW_STUDY, calibration_words=f"{plain}, as was chosen")),
    ):
        assert f"batch norms are recalibrated on {plain}, as was chosen" in report.splitlines()


def test_evaluate_a_network_whose_outputs_overflow(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study.open(SAMPLES / "digits-resnet20").copy_to(own_folders / "overflow")

    def overflowing(study: Study) -> torch.nn.Module:
        model = original(study)
        model.get_parameter("linear.weight").data.fill_(3e38)  # `new` refuses such weights
        return model

    monkeypatch.setattr(evaluating, "original", overflowing)
    found = evaluating.evaluate(study, Budget(macs=0.5), None, False, torch.device("cpu"), silent)
    assert found.loss is None and found.to_dict()["loss"] is None
    assert sentences.evaluation(found).endswith(", no loss, as an output is NaN or infinite")


def test_measure() -> None:
    assert sentences.measurement(by_hand.MEASUREMENT) == "3 points measured, 2 were there already"
    contended = sentences.measurement(replace(by_hand.MEASUREMENT, contended=True, points=()))
    assert contended == (
        "3 points measured, 2 were there already; other programs were at work meanwhile, so latencies are too long: "
        "`measure --again` when it is quiet"
    )
    unsteady = sentences.measurement(replace(by_hand.MEASUREMENT, unsteady=1, points=()))
    assert unsteady == (
        "3 points measured, 2 were there already; the times of 1 network varied by over a tenth, also when taken "
        "again: `measure --again` when it is quiet"
    )


def test_learn() -> None:
    assert sentences.learning(by_hand.LEARN_RESULT) == "9 candidates, 60.02 passes, 41 s: loss 0.4677, identity 1.0000"


def test_train() -> None:
    said = "w.safetensors: 93.21 % top-1 on the test images, 94.00 % on held-out ones (epoch 3 of 4, 7 min)"
    assert sentences.training(by_hand.TRAIN_RESULT, "w.safetensors") == said
    assert sentences.training(replace(by_hand.TRAIN_RESULT, loss=None), "w.safetensors") == said


def test_a_supernet_in_words() -> None:
    assert sentences.supernet(by_hand.SUPERNET_RESULT) == (
        "10 epochs for all budgets together (67 min): 93.00 % at 100 % of the MACs, 90.00 % at 40 % of the MACs, "
        "70.00 % at 10 % of the MACs; batch norms are recalibrated on plain training images"
    )


def test_a_supernet_says_how_well_others_are_read_between_its_points() -> None:
    points = by_hand.SUPERNET_RESULT.points
    between = replace(points[0], keep_id="x", macs=700, top1=0.92)  # half-way from 90 to 93 %
    said = sentences.supernet(replace(by_hand.SUPERNET_RESULT, between=(between,)))
    assert "70.00 % at 10 % of the MACs; 1 network between them lay 0.50 points off the line, at most 0.50; " in said


def test_finetune() -> None:
    assert sentences.finetuning(by_hand.FINETUNE_RESULT) == "81.00 % -> 93.00 % top-1 after 3 epochs (75 s)"
    one = replace(by_hand.FINETUNE_RESULT, epochs=1, supernet="key", original_top1=0.9173, original_trained=0.9203)
    assert sentences.finetuning(one) == (
        "81.00 % -> 93.00 % top-1, from weights trained together, after 1 epoch (75 s); "
        "the original itself gains 0.30 points from this training (91.73 to 92.03 %)"
    )
    lost = sentences.finetuning(replace(one, original_trained=0.9172))
    assert lost.endswith("the original itself loses 0.01 points from this training (91.73 to 91.72 %)")
    assert sentences.finetuning(replace(one, original_trained=0.9173)).count("gains nothing from this training") == 1
    assert "original" not in sentences.finetuning(replace(one, macs_fraction=1.0))
    timed = replace(by_hand.FINETUNE_RESULT, latency=by_hand.POINT.latency)
    assert sentences.finetuning(timed).endswith("(75 s), 1.5 ms (PyTorch, cpu, 2 threads, batch 1)")
    assert by_hand.POINT.latency is not None
    varied = replace(by_hand.POINT.latency, contended=True, unsteady=True)
    said = sentences.finetuning(replace(timed, latency=varied))
    assert said.endswith(", 1.5 ms, contended, unsteady (PyTorch, cpu, 2 threads, batch 1)")


def test_export() -> None:
    checked = "Same answer as PyTorch on 99.90 % of 1024 inputs, largest difference 1.7e-06"
    said = f"net-50pct.zip (opset 13, batch 1): {checked}"
    assert sentences.export(by_hand.EXPORT_RESULT) == said
    assert sentences.export(replace(by_hand.EXPORT_RESULT, checked_on="noise", finetuned=False)) == said


def test_compare() -> None:
    assert sentences.comparison(by_hand.COMPARISON_RESULT) == (
        "of 100 test images both get 80 right, only the original 10, only the pruned network 6, neither 4"
    )


def test_look() -> None:
    said = ["original cat 75.0 %, dog 20.0 %", "pruned   dog 50.0 %"]
    assert sentences.look(by_hand.LOOK_RESULT).splitlines() == said
    file = replace(by_hand.LOOK_RESULT, label=None, test_image=None, test_images=None, file_image="cG5n", epochs=None)
    assert sentences.look(file).splitlines() == said


def test_jobs() -> None:
    row = "running      s                        learn-1  pass 3 of 60"
    assert sentences.job_rows(by_hand.JOB_ROWS) == row
    queued = replace(by_hand.JOB_ROW, state="queued", stage="", done=0, total=0, seconds_left=None)
    assert sentences.job_rows(replace(by_hand.JOB_ROWS, jobs=(by_hand.JOB_ROW, queued))).splitlines() == [
        row,
        "queued       s                        learn-1   0 of 0",
    ]
    assert sentences.job_rows(replace(by_hand.JOB_ROWS, jobs=())) == "no jobs"


def test_cancel() -> None:
    assert sentences.cancelled_job(by_hand.CANCELLED_JOB) == "learn-1 is cancelled"


@pytest.mark.slow
def test_commands_say_it_of_a_study(study_path: Path) -> None:
    at = ("--study", study_path)
    assert called("show", *at, "--macs", 0.5)[0].startswith("identity ranking, ")
    assert called("shape", *at)[0].startswith("no shape is asked for\nwithin reach on the identity ranking, ")
    assert called("shape", *at, "--multiple", 8)[0].startswith("multiples of 8\n")
    assert "% top-1 on 359 test images, loss " in called("evaluate", *at)[0]
    assert called("measure", *at, "--budgets", 0.5)[0].startswith("3 points measured, 0 were there already")
    assert called("look", *at, "--macs", 0.5, "--test-image", 3)[0].startswith("original ")
    assert called("compare", *at, "--macs", 0.5)[0].startswith("of 359 test images both get ")
    assert called("classes", *at)[0].startswith("% of the MACs             100.0")
    rows = called("jobs", *at)[0].splitlines()
    assert [row.split()[2].split("-")[0] for row in rows] == ["classes", "compare", "measure"]
    assert called("cancel", *at, rows[0].split()[2])[0].endswith(" is done\n")


def test_a_text_from_elsewhere_begins_no_line() -> None:
    odd = "conv1\n9.99 % top-1\x1b[31m"
    shown = r"conv1\x0a9.99 % top-1\x1b[31m"
    network = replace(by_hand.NETWORK, layers=(replace(by_hand.NETWORK.layers[0], name=odd),))
    assert sentences.network(network).splitlines()[-1] == f"    16 of 16     {shown}"
    assert sentences.job_rows(replace(by_hand.JOB_ROWS, jobs=(replace(by_hand.JOB_ROW, stage=odd),))).count("\n") == 0
    remark = replace(by_hand.OUTPUT, reason=odd)
    assert shown in sentences.inspection(replace(by_hand.INSPECTION, unprunable=(remark,)))
    assert shown in sentences.new_study(replace(by_hand.NEW_STUDY, study=odd))
    assert sentences.reach(replace(by_hand.REACH, words=odd)).splitlines()[0] == shown
    look = replace(by_hand.LOOK_RESULT, original=(replace(by_hand.LOOK_RESULT.original[0], name=odd),))
    assert len(sentences.look(look).splitlines()) == 2
