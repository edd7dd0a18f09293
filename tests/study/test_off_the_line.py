"""How far networks between the points of a supernet lie from the line between these, by hand."""

import pytest

from legr.study.supernets import SupernetPoint, off_the_line


def point(macs: int, top1: float, side: int = 32) -> SupernetPoint:
    return SupernetPoint(f"net-{macs}", macs, 10, macs / 100, side, top1, 0.5, 1000)


POINTS = [point(100, 0.9), point(50, 0.8), point(20, 0.5)]


def test_the_distance_to_the_line() -> None:
    off = off_the_line(POINTS, [point(75, 0.853), point(35, 0.649), point(25, 0.55)])  # 0.85, 0.65, 0.55
    assert off is not None and off.networks == 3
    assert (off.mean, off.most) == pytest.approx((0.004 / 3, 0.003))
    assert off.words == "3 networks between them lay 0.13 points off the line, at most 0.30"


def test_what_lies_between_no_two_of_them_does_not_count() -> None:
    assert off_the_line(POINTS, []) is None
    assert off_the_line([], [point(75, 0.8)]) is None
    others = [point(10, 0.1), point(50, 0.1), point(75, 0.1, side=24)]  # smaller, a point itself, other inputs
    assert off_the_line(POINTS, others) is None
    one = off_the_line(POINTS, [*others, point(75, 0.84)])
    assert one is not None and one.words.startswith("1 network between them lay 1.00 points")
