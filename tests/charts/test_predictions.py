"""Predictions to one image: bars pinned at 0 and 100 %, and a sentence that says who is right."""

import pytest

from legr.charts.predictions import predictions_figure, predictions_table, short, verdict
from legr.commands.questions import Prediction

CAT, DOG = Prediction(3, "cat", 0.7), Prediction(5, "dog", 0.7)


def test_bars_show_probabilities_from_0_to_100() -> None:
    predictions = [Prediction(n, f"class {n}", 0.5 / (n + 1)) for n in range(5)]
    info = predictions_table(predictions, label=1)
    assert info["percent"].tolist() == pytest.approx([50, 25, 50 / 3, 12.5, 10])
    assert info["right"].tolist() == [False, True, False, False, False]
    figure = predictions_figure(info, "#123456")
    assert figure.layout.xaxis.range == (0, 100) and figure.layout.xaxis.fixedrange
    assert list(figure.data[0].x) == info["percent"].tolist() and figure.data[0].orientation == "h"
    assert figure.layout.yaxis.ticktext == ("class 0", "✓ class 1", "class 2", "class 3", "class 4")
    low, high = figure.layout.yaxis.range
    assert low > high  # the most probable on top


def test_long_names_that_begin_alike_stay_apart() -> None:
    names = [f"a very long name of a class, number {n}" for n in range(2)]
    info = predictions_table([Prediction(n, name, 0.5) for n, name in enumerate(names)], None)
    figure = predictions_figure(info, "#123456")
    assert list(figure.data[0].y) == [0, 1] and figure.layout.yaxis.ticktext == (short(names[0]),) * 2
    assert len(short(names[0])) <= 22 and short("cat") == "cat"


@pytest.mark.parametrize(
    ("original", "pruned", "right", "kind", "sentence"),
    [
        (CAT, CAT, 3, "success", "Both are right: cat."),
        (CAT, CAT, 4, "warning", "Both are wrong: they say cat, and it is deer."),
        (CAT, DOG, 3, "warning", "They disagree: the original is right with cat; the pruned network says dog."),
        (CAT, DOG, 5, "info", "They disagree: the pruned network is right with dog; the original says cat."),
        (
            *(CAT, DOG, 4, "warning"),
            "They disagree, and both are wrong: the original says cat, the pruned network dog; it is deer.",
        ),
        (CAT, CAT, None, "success", "They agree: cat."),
        (
            *(CAT, DOG, None, "warning"),
            "They disagree: the original says cat (70.0 %); the pruned network says dog (70.0 %).",
        ),
    ],
)
def test_who_is_right(original: Prediction, pruned: Prediction, right: int | None, kind: str, sentence: str) -> None:
    label = None if right is None else "deer" if right == 4 else "cat" if right == 3 else "dog"
    assert verdict(original, pruned, right, label) == (kind, sentence)
