"""What a report says of a network, known or not: the flagship's figures as `points.json` has them, and made-up ones."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from legr.charts.measurements import Reading, measurements_of
from legr.ranking.limits import Budget
from legr.report.facts import conditions, provenance
from legr.report.headline import Headline, Smaller, headline, headline_of
from legr.report.network import ShownNetwork, network_of
from legr.report.numbers import milliseconds, percent, signed
from legr.report.words import command, figures, gaps, known_lines
from legr.study.catalog import SAMPLES
from legr.study.store import Study
from tests.app.demo_study import add_finetuned, add_supernet, make_study

CASES = Path(__file__).parent / "headlines.json"  # which the tests of the browser's headline read as well


@pytest.fixture(scope="module")
def flagship() -> ShownNetwork:
    """48 % of ResNet-56: 92.59 % after fine-tuning, 75.30 % as cut, 1.155 ms. The original: 92.96 %, 2.374 ms."""
    return network_of(Study.open(SAMPLES / "cifar10_resnet56"), Budget(macs=0.483))


def test_the_headline_is_the_answer(flagship: ShownNetwork) -> None:
    assert headline(flagship) == "48 % of the work: 92.6 % instead of 93.0 %, 1.2 instead of 2.4 ms"


@pytest.mark.parametrize("case", json.loads(CASES.read_text(encoding="utf-8")), ids=lambda case: case["said"])
def test_it_says_what_the_pages_say(case: dict[str, Any]) -> None:
    trained, as_cut, latency = (case[name] and Reading(*case[name]) for name in ("trained", "cut", "latency"))
    original, share = case["original"], case["percent"] / 100
    smaller = Smaller(case["smaller"][0] / 100, case["smaller"][1]) if "smaller" in case else None
    is_whole = share == 1 and trained == as_cut
    said = Headline(
        share, trained, as_cut, latency, original["top1"], original["latency"], is_whole=is_whole, smaller=smaller
    )
    assert headline_of(said) == case["said"]


def test_the_whole_network_is_compared_with_nothing() -> None:
    whole = network_of(Study.open(SAMPLES / "cifar10_resnet56"), Budget(macs=1.0))
    assert headline(whole) == "The original, 100 % of the work: 93.0 %, 2.4 ms"
    assert {row.difference for row in figures(whole)} <= {"", "0 points", "0 %"}
    assert gaps(whole, is_compared=False) == []


def test_every_figure_stands_beside_the_originals(flagship: ShownNetwork) -> None:
    """ResNet-56 has 125,485,696 MACs and 853,018 parameters of 4 bytes."""
    rows = {row.name: (row.value, row.original, row.difference, row.better) for row in figures(flagship)}
    assert rows["Top-1 accuracy, fine-tuned"] == ("92.6 %", "93.0 %", "−0.4 points", False)
    assert rows["MACs, million"] == ("60.61", "125.5", "−51.7 %", True)
    assert rows["Parameters, thousand"][1] == "853.0"
    assert rows["Weights in float32, MB"][1] == "3.41"  # 4 x 0.853018
    assert rows["Latency, ms"][:2] == ("1.2", "2.4")
    twice = replace(flagship, latency=Reading(2 * (flagship.original_ms or 0), True))
    slower = {row.name: (row.difference, row.better) for row in figures(twice)}
    assert slower["Latency, ms"] == ("+100.0 %", False) and slower["Images a second"] == ("−50.0 %", False)


def test_gaps_name_the_commands_that_close_them(flagship: ShownNetwork) -> None:
    study = "--study cifar10_resnet56"
    assert [gap.command for gap in gaps(flagship, is_compared=False)] == [
        f"python -m legr compare {study} --macs 0.483"
    ]
    assert gaps(flagship, is_compared=True) == []
    unknown = replace(flagship, run=None, trained=Reading(0.9, False), as_cut=Reading(0.5, False), latency=None)
    found = gaps(unknown, is_compared=True)
    assert [gap.command.split()[3] for gap in found] == ["finetune", "measure"]
    assert found[0].sentence.endswith("(~) is read between two fine-tuned networks of this ranking.")
    assert "of the learned (ms) ranking" in found[1].sentence
    assert found[1].command.endswith("--budgets 0.482964")  # of 60,605,056 / 125,485,696, rounded up


def test_commands_make_this_network(flagship: ShownNetwork) -> None:
    study = flagship.study
    assert command(flagship, "export") == "python -m legr export --study cifar10_resnet56 --macs 0.483"
    uniform = network_of(study, Budget(macs=0.483, weight_mb=2), "uniform")
    assert command(uniform, "export").endswith("--macs 0.483 --weight-mb 2 --ranking uniform")
    run = study.finetuned[0]
    opened = network_of(study, Budget(macs=0.9), run=run.key)
    assert opened.keep_id == run.keep_id and opened.top1 == Reading(run.top1, True)
    assert command(opened, "export").endswith(f"--macs 0.9 --run {run.key}")


def test_what_the_figures_are_of(flagship: ShownNetwork) -> None:
    accuracy, latency, work = known_lines(flagship)
    assert accuracy.startswith("Top-1 accuracy after fine-tuning for 10 epochs, on 10,000 test images ")
    assert latency == "Latency of one forward pass: ONNX Runtime 1.31.1, AMD EPYC, 1 thread, batch 1."
    assert work.startswith("Work is multiply-adds (MACs)")
    assert " as cut, on " in known_lines(replace(flagship, trained=None))[0]
    assert len(known_lines(replace(flagship, latency=None))) == 2
    between = known_lines(replace(flagship, trained=Reading(0.9, False), latency=Reading(5, False), run=None))
    assert all("(~: " in line for line in between[:2])


def test_latencies_are_of_the_device_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "digits"
    shutil.copytree(SAMPLES / "digits-resnet20", path)
    study = Study.open(path).with_info(sample=False)
    original = next(point for point in study.points if point.ranking == "original" and point.latency)
    assert original.latency is not None
    study.add_point(replace(original, latency=replace(original.latency, machine="Robot", milliseconds=80.0)))
    device = next(name for name in measurements_of(study, study.curve).devices if name.startswith("Robot"))
    there = network_of(study, Budget(macs=1.0), device=device)
    assert headline(there).endswith(", 80.0 ms") and not headline(network_of(study, Budget(macs=1.0))).endswith(
        "80.0 ms"
    )


def test_the_spread_of_a_latency_stands_among_its_conditions(tmp_path: Path) -> None:
    path = tmp_path / "digits"
    shutil.copytree(SAMPLES / "digits-resnet20", path)
    study = Study.open(path).with_info(sample=False)

    def spread(quartiles: tuple[float, float] | None) -> str | None:
        study.save_points(
            [replace(p, latency=p.latency and replace(p.latency, quartiles=quartiles)) for p in study.all_points]
        )
        return dict(conditions(network_of(study, Budget(macs=1.0)))).get("Middle half of the times")

    assert spread(None) is None  # an earlier version noted none
    assert spread((4.0, 12.06)) == "4.0 to 12.1 ms"


def test_numbers_have_the_digits_that_they_deserve() -> None:
    assert [milliseconds(ms) for ms in (0.0123, 0.5123, 4.98, 99.94, 143.2)] == ["0.012", "0.51", "5.0", "99.9", "143"]
    assert [signed(value, 1) for value in (-0.04, 0.06, -1.0, -0.25)] == ["0", "+0.1", "−1.0", "−0.3"]
    assert [percent(top1) for top1 in (0.9225, 0.9275, 1.0)] == ["92.3 %", "92.8 %", "100.0 %"]


def test_a_network_of_a_supernet_says_that_it_was_trained_together_and_how_good_it_is(tmp_path: Path) -> None:
    study = make_study(tmp_path / "demo")
    run = add_supernet(study, budgets=(1.0, 0.6, 0.3), between={0.5: 0.01})
    network = network_of(study, Budget(macs=0.6))
    point = run.points[1]
    assert network.run is not None and network.run.key == run.key
    own = next(row for row in figures(network) if row.name.startswith("Top-1 accuracy, "))
    assert own.name == "Top-1 accuracy, trained together"
    assert own.value == percent(point.top1)
    first = known_lines(network)[0]
    assert first.startswith("Top-1 accuracy when trained together with all budgets for 3 epochs, on 1,000 test images")
    facts = dict(provenance(network))
    assert facts["Trained together"].startswith("supernet together: 3 epochs for every budget from ")
    assert "; 1 network between them lay " in facts["Trained together"]
    assert not any("fine-tuned" in gap.sentence for gap in gaps(network, is_compared=True))
    between = network_of(study, Budget(macs=0.45))
    assert headline(between).split(": ")[1].startswith("~")
    assert "Its accuracy when trained together with all budgets is read between two measured networks." in [
        gap.sentence for gap in gaps(between, is_compared=True)
    ]
    assert network_of(study, Budget(macs=0.25)).run is None  # smaller than any that it has trained
    assert network_of(study, Budget(macs=1.0)).run is None


def test_a_network_that_began_with_weights_trained_together_says_how_good_it_was_with_them(tmp_path: Path) -> None:
    study = make_study(tmp_path / "demo")
    supernet = add_supernet(study, budgets=(1.0, 0.6, 0.3))
    run = replace(add_finetuned(study), top1_before=0.885, supernet=supernet.key)
    study.save_finetuned(run)
    network = network_of(study, Budget(macs=0.5))
    names = [row.name for row in figures(network)[:3]]
    before = "Top-1 accuracy, trained together, before fine-tuning"
    assert names == ["Top-1 accuracy, fine-tuned", before, "Top-1 accuracy as cut"]
    assert [row.value for row in figures(network)[:2]] == [percent(run.top1), "88.5 %"]
    told = dict(provenance(network))["Fine-tuned"]
    assert "3 epochs, begun with weights of the supernet together, taught by the original" in told
    study.save_finetuned(replace(run, supernet=""))
    assert before not in [row.name for row in figures(network_of(study, Budget(macs=0.5)))]
