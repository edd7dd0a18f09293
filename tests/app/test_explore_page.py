"""The Explore page: its numbers are the budget curve's, and what is not measured is not shown as if it were."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from legr.study.store import Study
from tests.app.conftest import OpenApp


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def as_shown(number: int) -> str:
    """Four digits at least: 12.34 M, 123.4 k."""
    value, unit = (number / 1e6, "M") if number >= 1e6 else (number / 1e3, "k")
    return f"{value:.2f} {unit}" if value < 100 else f"{value:.1f} {unit}"


def words(at: AppTest) -> str:
    return " ".join(element.value for element in (*at.caption, *at.markdown, *at.info))


def test_it_opens_on_the_sample_when_nothing_is_asked_for(open_app: OpenApp) -> None:
    at = open_app(study=None)
    assert not at.exception
    assert at.title[0].value == "shown"
    assert at.query_params["study"] in ("shown", ["shown"])


@pytest.mark.parametrize("percent", [100.0, 77.5, 30.0, 2.0])
def test_the_slider_shows_what_the_curve_says(open_app: OpenApp, studies: Path, percent: float) -> None:
    at = open_app()
    at.slider[0].set_value(percent).run()
    curve = Study.open(studies / "demo").curve("learned")
    step = curve.step(macs=percent / 100)
    macs, params = curve.macs[step], curve.params[step]
    assert not at.exception
    assert metrics(at)["MACs"] == as_shown(int(macs))
    assert metrics(at)["Parameters"] == as_shown(int(params))


def test_the_slider_ends_at_the_floor(open_app: OpenApp, studies: Path) -> None:
    floor = 100 * Study.open(studies / "demo").curve("learned").floor
    slider = open_app().slider[0]
    assert floor <= slider.min < floor + 0.5
    assert slider.max == 100


def test_another_ranking_has_other_numbers(open_app: OpenApp, studies: Path) -> None:
    at = open_app(budget="50")
    at.segmented_control[0].set_value("uniform").run()
    curve = Study.open(studies / "demo").curve("uniform")
    assert metrics(at)["Parameters"] == as_shown(int(curve.params[curve.step(macs=0.5)]))


def test_figures_say_whether_they_were_measured(open_app: OpenApp) -> None:
    at = open_app(budget="50")
    assert not metrics(at)["Top-1 before fine-tuning"].startswith("~")
    assert metrics(at)["Top-1 after fine-tuning"] == "93.0 %"
    assert "measured at this network (PyTorch 2.14.1, cpu, 2 threads, batch 1)" in words(at)
    at.slider[0].set_value(60.0).run()
    assert metrics(at)["Top-1 before fine-tuning"].startswith("~")
    assert metrics(at)["Top-1 after fine-tuning"] == "—"
    assert "Latency interpolated between measured networks" in words(at)
    at.slider[0].set_value(5.0).run()  # below the smallest measured budget: no guess
    assert metrics(at)["Latency"] == metrics(at)["Top-1 before fine-tuning"] == "—"
    assert "Latency not measured" in words(at)


def test_it_says_once_what_flops_are(open_app: OpenApp) -> None:
    assert words(open_app()).count("FLOPs here are MACs: one multiply-add = 1.") == 1


def test_nothing_learned_means_no_learned_ranking(open_app: OpenApp) -> None:
    at = open_app(study="plain")
    assert at.segmented_control[0].options == ["Identity", "Uniform"]
    assert at.segmented_control[0].value == "identity"


def test_missing_images_stop_measuring_and_nothing_else(open_app: OpenApp) -> None:
    at = open_app(study="elsewhere")
    disabled = {button.label: button.disabled for button in at.button}
    assert disabled["Measure this network"] and disabled["Measure the frontier"]
    assert not at.slider[0].disabled and not at.download_button[0].disabled
    assert "not known on this machine" in at.warning[0].value
    assert not disabled["Download CIFAR-10 (170 MB)"]


def test_the_budget_goes_along_to_the_next_page(open_app: OpenApp) -> None:
    at = open_app()
    at.slider[0].set_value(33.0).run()
    at.switch_page("pages/finetune.py").run()
    assert at.slider[0].value == 33.0
    assert [button.label for button in at.button if "33 %" in button.label] == ["Fine-tune at 33 %", "Export at 33 %"]


@pytest.mark.parametrize("budget", ["nonsense", "-5", "250", "nan", "inf"])
def test_a_budget_from_outside_is_brought_into_range(open_app: OpenApp, budget: str) -> None:
    at = open_app(budget=budget)
    assert not at.exception
    assert at.slider[0].min <= at.slider[0].value <= 100
