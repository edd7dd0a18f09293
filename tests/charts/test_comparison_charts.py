"""Tables of where two networks differ: every figure counted by hand on eight images of three classes."""

from dataclasses import replace

import numpy as np
import pytest

from legr.charts.comparison import (
    MAX_CLASSES,
    classes_figure,
    classes_table,
    confusion_figure,
    confusion_table,
    differing_table,
    most_changed,
    outcomes_table,
)
from legr.charts.pictures import enlarged
from legr.study.comparison import Comparison, Predictions
from tests.study.comparison_by_hand import CLASSES, COUNTS, DIFFER, comparison


def many_classes(n_classes: int = 60) -> Comparison:
    """One image a class; the original is right on all, the pruned network takes class 7 for 8 and 50 for 3."""
    labels = np.arange(n_classes, dtype=np.int32)
    pruned = labels.copy()
    pruned[[7, 50]] = [8, 3]
    shares = np.ones((n_classes, 1), dtype=np.float32)
    found = comparison()
    return replace(
        found, labels=labels, original=Predictions(labels[:, None], shares), pruned=Predictions(pruned[:, None], shares)
    )


def test_four_counts_add_up_to_all() -> None:
    info = outcomes_table(comparison())
    assert dict(zip(info["outcome"], info["images"], strict=True)) == COUNTS
    assert info["percent"].tolist() == [37.5, 25, 12.5, 25] and info["percent"].sum() == 100


def test_images_that_are_classified_differently() -> None:
    info = differing_table(comparison(), CLASSES)
    assert info["number"].tolist() == list(DIFFER)
    assert info["label"].tolist() == ["ant", "ant", "bee", "cat"]
    assert info["original"].tolist() == ["ant", "bee", "cat", "cat"]
    assert info["pruned"].tolist() == ["bee", "ant", "ant", "ant"]
    assert info["outcome"].tolist() == ["only_original", "only_pruned", "neither", "only_original"]
    assert info["original_right"].tolist() == [True, False, False, True]
    assert info["pruned_right"].tolist() == [False, True, False, False]
    assert info["original_percent"].tolist() == [75, 50, 50, 50]
    assert info["picture"].tolist() == [0, 1, 2, -1]  # three pictures are kept


def test_accuracy_of_each_class_what_loses_most_first() -> None:
    info = classes_table(comparison(), (*CLASSES, "never shown"))
    assert info["class"].tolist() == ["cat", "ant", "bee"] and info["images"].tolist() == [3, 3, 2]
    assert info["original_percent"].tolist() == pytest.approx([200 / 3, 200 / 3, 50])
    assert info["pruned_percent"].tolist() == pytest.approx([100 / 3, 200 / 3, 50])
    assert info["difference"].tolist() == pytest.approx([-100 / 3, 0, 0])
    figure = classes_figure(info, "#123456")
    assert figure.data[1].x == pytest.approx(info["original_percent"]) and figure.data[2].name == "Pruned"
    assert list(figure.data[3].text) == ["−33.3", "0", "0"]
    assert list(figure.layout.xaxis.tickvals) == [100, 80, 60, 40] and figure.layout.xaxis.range[0] < 100 / 3


def test_the_change_of_confusions() -> None:
    info = confusion_table(comparison(), CLASSES)
    assert info.to_numpy().tolist() == [
        [0, 0, 0],  # ants: both take one of three for a bee, another one each
        [1, 0, -1],  # bees: one was taken for a cat, now for an ant
        [1, 0, -1],  # cats: one more is taken for an ant, one fewer is right
    ]
    assert list(info.index) == list(info.columns) == list(CLASSES)
    figure = confusion_figure(info, dark=False)
    heat, numbers = figure.data
    assert (heat.zmin, heat.zmax) == (-1, 1) and np.array(heat.z).tolist() == info.to_numpy().tolist()
    assert [stop for stop in heat.colorscale if stop[0] == 0.5 and not stop[1].endswith(", 0)")] == []  # zero is clear
    assert list(numbers.text) == ["", "", "", "+1", "", "−1", "+1", "", "−1"]
    assert heat.customdata[1][2] == "bee, taken for cat: −1"


def test_of_many_classes_those_that_change_most_are_shown() -> None:
    found, names = many_classes(), [f"class {n}" for n in range(60)]
    info = confusion_table(found, names)
    assert info.shape == (MAX_CLASSES, MAX_CLASSES)
    assert {"class 3", "class 7", "class 8", "class 50"} <= set(info.index)
    assert info.loc["class 7", "class 8"] == 1 and info.loc["class 7", "class 7"] == -1
    assert list(info.index) == sorted(info.index, key=lambda name: int(name.split()[1]))
    classes = most_changed(classes_table(found, names))
    assert len(classes) == MAX_CLASSES and classes["class"].tolist()[:2] == ["class 7", "class 50"]
    figure = confusion_figure(info, dark=False)
    assert len(figure.data) == 1 and figure.data[0].showscale
    assert list(figure.data[0].colorbar.ticktext) == ["−1", "0", "+1"]


def test_two_alike_networks_change_nothing() -> None:
    found = many_classes()
    alike = replace(found, pruned=found.original)
    assert differing_table(alike, [str(n) for n in range(60)]).empty
    info = confusion_table(alike, [str(n) for n in range(60)])
    assert not info.to_numpy().any() and confusion_figure(info, dark=False).data[0].zmax == 1


def test_pictures_are_enlarged_pixel_by_pixel() -> None:
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(3, 2, 3)
    large = enlarged(pixels, 7)
    assert large.shape == (6, 9, 3)
    assert large[0, 0].tolist() == large[2, 2].tolist() == pixels[:, 0, 0].tolist()
    assert large[5, 8].tolist() == pixels[:, 1, 2].tolist()
    assert enlarged(pixels[:1], 7).shape == (6, 9) and enlarged(pixels, 1).shape == (2, 3, 3)
