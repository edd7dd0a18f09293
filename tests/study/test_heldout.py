"""Better than guessing or not: against probabilities by hand."""

import pytest

from legr.study.heldout import HeldoutScore, warning_of


@pytest.mark.parametrize(
    ("right", "images", "classes", "guessing"),
    [
        # Among 2 classes, 3 or 4 right of 4 happen in (4 + 1) / 16, 7 of 7 in 1 / 128.
        (3, 4, 2, True),
        (6, 6, 2, True),  # 1 / 64
        (7, 7, 2, False),
        # Among 10 classes: 2 of 2 in 1 / 100, which is no more than the doubt; 3 of 3 in 1 / 1000.
        (2, 2, 10, True),
        (3, 3, 10, False),
        (0, 512, 10, True),
        (51, 512, 10, True),
        # 66 of 512: 2.3 standard deviations (6.8) above 51; 72: three.
        (66, 512, 10, True),
        (72, 512, 10, False),
        (5, 512, 1000, False),
        (1, 512, 1000, True),
        (500, 512, 10, False),
        (3, 3, 1, False),  # of one class nothing can be said
    ],
)
def test_a_score_that_guessing_reaches_is_told(right: int, images: int, classes: int, guessing: bool) -> None:
    assert HeldoutScore(right / images, images).no_better_than_guessing(classes) == guessing


def test_the_warning_names_the_remedy() -> None:
    classes = tuple("abcdefg")
    chance, good = HeldoutScore(0.14, 500), HeldoutScore(0.9, 500)
    assert warning_of(good, classes, random_weights=False) is None
    assert warning_of(None, classes, random_weights=False) is None
    said = warning_of(chance, classes, random_weights=False)
    assert said is not None
    assert said.startswith("the original gets 14.0 % of 500 held-out images right, which is no better than guessing")
    assert "--outputs" in said and "a, b, c, d, e, …" in said and "--normalize" in said
    assert "python -m legr train" in str(warning_of(chance, classes, random_weights=True))
