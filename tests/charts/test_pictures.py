"""Pictures on pages: enlarged pixel by pixel, and the part marked that a network sees."""

import numpy as np

from legr.charts.pictures import middle_marked


def test_what_a_square_network_does_not_see_of_a_wide_picture_is_dark() -> None:
    """Of 60 x 40 pixels it sees the middle 40 columns: 10 to 49. Elsewhere four tenths of 100 and of 255 are left."""
    picture = np.full((40, 60, 3), 100, np.uint8)
    picture[0] = 255
    marked = middle_marked(picture, 1.0)
    assert marked.dtype == np.uint8 and marked.shape == picture.shape
    assert np.array_equal(marked[:, 10:50], picture[:, 10:50])
    for sides in (marked[:, :10], marked[:, 50:]):
        assert (sides[0] == 102).all() and (sides[1:] == 40).all()


def test_of_a_high_grey_picture_the_middle_is_seen_that_has_the_networks_shape() -> None:
    """A network of 20 x 10 pixels takes of 40 x 60 all columns and 20 rows, 20 to 39."""
    marked = middle_marked(np.full((60, 40), 200, np.uint8), 2.0)
    assert (marked[20:40] == 200).all() and (marked[:20] == 80).all() and (marked[40:] == 80).all()


def test_a_picture_of_the_networks_shape_stays_as_it_is() -> None:
    picture = np.arange(48, dtype=np.uint8).reshape(4, 12)
    assert np.array_equal(middle_marked(picture, 3.0), picture)
