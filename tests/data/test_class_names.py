"""Classes that a person lists, also where names have commas themselves."""

import pytest

from legr.data.class_names import listed_names

CLASSES = ("cat", "dog", "tench, Tinca tinca", "New York, NY", "New York", "a,b,c", "a")


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["cat,dog"], ["cat", "dog"]),
        ([" dog , cat,"], ["dog", "cat"]),
        (["cat", "dog"], ["cat", "dog"]),
        (["tench, Tinca tinca"], ["tench, Tinca tinca"]),
        (["cat,tench, Tinca tinca,dog"], ["cat", "tench, Tinca tinca", "dog"]),
        (["New York, NY,dog"], ["New York, NY", "dog"]),
        (["New York,dog"], ["New York", "dog"]),
        (["New York", "dog,New York, NY"], ["New York", "dog", "New York, NY"]),
        (["a,b,c"], ["a,b,c"]),
        (["a,b"], ["a", "b"]),  # b is no class: whoever cuts the images says so
        (["cat,cat"], ["cat", "cat"]),
        (["", " , "], []),
    ],
)
def test_as_much_as_makes_a_class_is_one_name(given: list[str], names: list[str]) -> None:
    assert listed_names(given, CLASSES) == names


def test_what_stands_alone_is_itself_though_longer_names_begin_so() -> None:
    """Whoever means "a" and "b" where there is a class "a, b" repeats the option."""
    classes = ("a", "b", "a, b")
    assert listed_names(["a, b"], classes) == ["a, b"]
    assert listed_names(["a", "b"], classes) == ["a", "b"]
