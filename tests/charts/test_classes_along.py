"""Accuracy of each class along the slider: the table is counted by hand, and the chart draws it."""

from dataclasses import replace

import numpy as np

from legr.charts.classes_along import ALL_IMAGES, classes_along_figure, classes_along_table, listed_classes
from legr.study.along import NetworkAlong
from tests.study.along_by_hand import CLASSES, TOP1, TOP1_OF_CLASSES, along

#: What each class loses beside the original, in the mean of the other networks: 2/9, 0, 1/9.
ORDER = [0, 2, 1]


def test_classes_are_listed_by_what_they_lose() -> None:
    assert listed_classes(along(), CLASSES) == ORDER
    assert listed_classes(along(), (*CLASSES, "a class without images")) == ORDER


def test_the_table_has_every_network_and_class() -> None:
    table = classes_along_table(along(), (*CLASSES, "none"))
    assert table.columns.tolist() == ["class", "images", "100 %", "80 %", "40 %", "20 %"]
    assert table["class"].tolist() == [ALL_IMAGES, "ant", "cat", "bee"] and table["images"].tolist() == [8, 3, 3, 2]
    assert np.allclose(table.iloc[0, 2:].astype(float), 100 * np.array(TOP1))
    assert np.allclose(table.iloc[1:, 2:].astype(float).T, 100 * np.array(TOP1_OF_CLASSES)[:, ORDER])


def test_the_chart_draws_each_class_and_all_images() -> None:
    figure = classes_along_figure(along(), ("<b>%{x}", *CLASSES[1:]))
    names = ["&lt;b&gt;%{x}", "cat", "bee", ALL_IMAGES]
    assert [trace.name for trace in figure.data] == names
    assert [set(trace.customdata) for trace in figure.data] == [{name} for name in names]
    assert len({trace.hovertemplate for trace in figure.data}) == 1  # no name is a part of it
    assert list(figure.data[-1].x) == [100, 80, 40, 20] and np.allclose(figure.data[-1].y, 100 * np.array(TOP1))


def test_networks_that_look_alike_have_names_of_their_own() -> None:
    found = along()
    networks = tuple(NetworkAlong(f"{share}", share) for share in (1.0, 0.99996, 0.4, 0.2))
    table = classes_along_table(replace(found, about=replace(found.about, networks=networks)), CLASSES)
    assert table.columns.tolist()[2:] == ["100 %", "99.996 %", "40 %", "20 %"]
