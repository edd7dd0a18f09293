"""Reports on networks with images of another height: their own figures beside the original's with its own images."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from legr.errors import SettingsError
from legr.ranking.limits import Budget
from legr.report.facts import conditions
from legr.report.headline import headline
from legr.report.network import network_of
from legr.report.numbers import milliseconds
from legr.report.page import page_of
from legr.report.words import figures, gaps, known_lines
from legr.report.write import write_report
from legr.requests.report import ReportRequest
from legr.structure.cost import cost
from legr.study.heights import structures_by_height
from legr.study.run_names import remove_run
from legr.study.scaled import add_scaled, scaled_points
from legr.study.sized import sized_networks
from legr.study.store import Study
from tests.app.demo_study import add_finetuned, add_sizes, make_study

DAY = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Its learned ranking has a supernet that was measured at 24 pixels at 60 and at 20 % of the MACs; one is timed."""
    study = make_study(tmp_path_factory.mktemp("sized") / "demo")
    add_sizes(study, (24,), (1.0, 0.6, 0.2))
    return study


def test_figures_are_those_of_its_images_and_the_original_keeps_its_own(study: Study) -> None:
    network = network_of(study, Budget(macs=0.6), height=24)
    known = next(one for one in sized_networks(study) if one.keep_id == network.keep_id)
    whole = study.curve().original.macs
    assert network.cost.macs == cost(structures_by_height(study)[24], network.keep).macs == known.macs
    assert network.macs_fraction == known.macs / whole < known.macs_fraction == network.budget_fraction
    rows = {row.name: row for row in figures(network)}
    assert rows["Top-1 accuracy, trained together"].value == f"{100 * known.top1:.1f} %"
    assert rows["Latency, ms"].value == milliseconds(known.latencies[0].milliseconds)
    assert rows["MACs, million"].original == f"{whole / 1e6:.2f}" and "Activation memory, MB" not in rows
    assert headline(network).startswith(f"{100 * known.macs / whole:.0f} % of the work: {100 * known.top1:.1f} %")
    assert known_lines(network)[0] == "Its images are scaled to a height of 24 pixels; the original's have 32."
    assert dict(conditions(network))["Input"].startswith("3x24x24, ")
    assert not gaps(network, is_compared=True)


def test_what_lies_between_is_said_and_commands_name_the_size(study: Study) -> None:
    network = network_of(study, Budget(macs=0.4), height=24)
    assert network.trained is not None and not network.trained.measured
    found = {gap.sentence: gap.command for gap in gaps(network, is_compared=False)}
    assert found["Its accuracy with such images was not measured (~: read between two that were)."].endswith(
        "evaluate --study demo --macs 0.4 --size 24"
    )
    timed = next(command for sentence, command in found.items() if sentence.startswith("It was not timed with such"))
    assert timed == f"python -m legr measure --study demo --budgets {network.budget_fraction:.6g} --sizes 24"
    assert found["Its predictions were not compared with the original's."].endswith("--macs 0.4 --size 24")


def test_the_page_leads_back_to_it(study: Study) -> None:
    page = page_of(network_of(study, Budget(macs=0.6), height=24), DAY)
    assert "ranking, images of 24 px</p>" in page and "&amp;size=24" in page
    assert "export --study demo --macs 0.6 --size 24 --out exported" in page


def test_the_whole_network_of_such_images_is_not_the_original(study: Study) -> None:
    whole = network_of(study, Budget(macs=1.0), height=24)
    assert not whole.is_whole and whole.macs_fraction < 0.6
    assert headline(whole).startswith("56 % of the work: ")


def test_the_study_s_own_height_is_as_if_none_were_given_and_an_unknown_one_is_a_sentence(
    study: Study, tmp_path: Path
) -> None:
    own = network_of(study, Budget(macs=0.6), height=32)
    assert own.height is None and own.cost == network_of(study, Budget(macs=0.6)).cost
    message = (
        r"size must be one that networks were measured with \(32, 24\), got 20; `python -m legr measure --sizes 20`"
    )
    with pytest.raises(SettingsError, match=message):
        network_of(study, Budget(macs=0.6), height=20)
    request = ReportRequest(Budget(macs=0.6), tmp_path / "a.html", size=24)
    result = write_report(study, request, DAY)
    assert (result.height, result.top1_measured, result.latency_measured) == (24, True, True)


def test_a_doubtful_latency_is_a_gap(study: Study, tmp_path: Path) -> None:
    other = study.copy_to(tmp_path / "demo")
    assert not gaps(network_of(other, Budget(macs=0.6), height=24), is_compared=True)
    points = scaled_points(other)
    add_scaled(other, [replace(point, latency=replace(point.latency, contended=True)) for point in points])
    (gap,) = gaps(network_of(other, Budget(macs=0.6), height=24), is_compared=True)
    assert gap.sentence.startswith("Other programs used the cores")
    assert gap.command == "python -m legr measure --study demo --sizes 24 --again"


def test_a_run_without_its_supernet_says_nothing_of_its_own_images(study: Study, tmp_path: Path) -> None:
    other = study.copy_to(tmp_path / "demo")
    run = add_finetuned(other, 0.6)
    other.save_finetuned(replace(run, supernet="together", kept=run.kept))
    remove_run(other, "together")
    names = [row.name for row in figures(network_of(other, Budget(macs=0.6)))]
    assert "Top-1 accuracy, trained together, before fine-tuning" in names
    with pytest.raises(SettingsError, match="size must be one that networks were measured with"):
        network_of(other, Budget(macs=0.6), height=24)  # all of them were the supernet's
    cards = page_of(network_of(other, Budget(macs=0.6)), DAY).split('<div class="cards">')[1].split("</div></div>")[0]
    values = re.findall(r"<span>([^<]*)</span><b>([^<]*)</b>", cards)
    assert [name for name, _ in values][1:] == ["Latency", "MACs", "Weights, float32"]
    assert values[1][1].endswith(" ms") and values[2][1].endswith(" M") and values[3][1].endswith(" MB")
    rows = {row.name: row.value for row in figures(network_of(other, Budget(macs=0.6)))}
    assert values[2][1] == f"{rows['MACs, million']} M" and values[3][1] == f"{rows['Weights in float32, MB']} MB"


def test_a_run_has_images_of_its_own_height_alone(study: Study, tmp_path: Path) -> None:
    other = study.copy_to(tmp_path / "demo")
    run = add_finetuned(other)
    with pytest.raises(SettingsError, match="size cannot be chosen for the network of a run, got 24"):
        network_of(other, Budget(macs=0.5), run=run.key, height=24)
    assert network_of(other, Budget(macs=0.5), run=run.key, height=32).run == run
