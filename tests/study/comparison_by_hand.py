"""A comparison of two networks on eight images of three classes, small enough to count by hand.

It does not know files.
"""

import numpy as np

from legr.study.comparison import ComparedNetwork, Comparison, Predictions

CLASSES = ("ant", "bee", "cat")
LABELS = (0, 0, 0, 1, 1, 2, 2, 2)
ORIGINAL = (0, 0, 1, 1, 2, 2, 2, 0)
PRUNED = (0, 1, 0, 1, 0, 2, 0, 0)
# who is right: both (image 1), only the original (2), only the pruned (3), both (4), neither (5), both (6),
# only the original (7), neither (8); different answers on images 2, 3, 5 and 7
COUNTS = {"both": 3, "only_original": 2, "only_pruned": 1, "neither": 2}
DIFFER = (2, 3, 5, 7)


def answers(first: tuple[int, ...]) -> Predictions:
    """Two answers an image, the second the next class; 0.5 and 0.25, or with more certainty at odd places."""
    classes = np.array([(place, (place + 1) % 3) for place in first], dtype=np.int32)
    probabilities = np.array([(0.75, 0.25) if n % 2 else (0.5, 0.25) for n in range(len(first))], dtype=np.float32)
    return Predictions(classes, probabilities)


def comparison(keep_id: str = "0123456789ab", fraction: float = 0.5, *, pictures: int = 3) -> Comparison:
    """The comparison; pictures of the first images on which the two differ are kept, each of its number's colour."""
    numbers = np.array(DIFFER[:pictures], dtype=np.int32) - 1
    images = np.broadcast_to(numbers[:, None, None, None], (len(numbers), 3, 4, 4)).astype(np.uint8)
    network = ComparedNetwork("identity", fraction, keep_id, False, True)
    return Comparison(
        network, np.array(LABELS, dtype=np.int32), answers(ORIGINAL), answers(PRUNED), numbers, np.array(images)
    )
