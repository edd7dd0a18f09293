"""Which multiple a new study rounds to: 8 where its networks stay small enough, else less."""

import pytest

from legr.ranking.order import Ranker
from legr.ranking.rounding import multiple_on, usual_multiple
from tests.ranking import by_hand
from tests.ranking.devices import Lanes


def multiple_of(*widths: int) -> int:
    """For 3 -> a -> b -> 5: floors of a tenth and two, and of a multiple."""
    structure = by_hand.chain(*widths)
    return usual_multiple(Ranker(structure, by_hand.norms(structure, 0)))


@pytest.mark.parametrize(
    ("widths", "multiple"),
    [
        ((64, 64), 8),  # down to 8 and 8: 24 + 64 + 40 of 4608 multiply-adds
        ((16, 16), 4),  # to 8 and 8: 128 of 384 is more than 0.3; to 4 and 4: 48
        ((8, 8), 1),  # not at all in eights; to 4 and 4: 48 of 128; to 2 and 2: 20
        ((7, 9), 1),  # 9 to 8, 7 to 4: 4 * 3 + 4 * 4 + 4 * 5 = 48 of 129
    ],
    ids=str,
)
def test_eight_where_a_small_network_is_still_reached(widths: tuple[int, int], multiple: int) -> None:
    assert multiple_of(*widths) == multiple


@pytest.mark.parametrize(("proposed", "multiple"), [(32, 8), (16, 8), (8, 8), (4, 4), (1, 1)])
def test_what_a_device_likes_is_taken_where_fast_networks_are_in_reach(proposed: int, multiple: int) -> None:
    """3 -> 16 -> 16 -> 5 in lanes of 8: 0.75 + 4 + 1.25 microseconds, and one beside them.

    In sixteens nothing can leave. In eights 0.375 + 1 + 0.625 are left, which with the one is 3 of 7; as they come, no
    fewer.
    """
    structure = by_hand.chain(16, 16)
    device = Lanes(structure, beside_ms=1e-3)
    assert multiple_on(Ranker(structure, by_hand.norms(structure, 0)), device, proposed) == multiple
