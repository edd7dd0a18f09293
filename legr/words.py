"""Counts in words."""


def plural(count: int, noun: str) -> str:
    """A count with its noun: 1 epoch, 1,024 units."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def unsteady_words(networks: int) -> str:
    """What is said of latencies that are unsteady: a sentence without its end."""
    return f"the times of {plural(networks, 'network')} varied by over a tenth, also when taken again"


def second_training_words(before: float, after: float) -> str:
    """What a network comes to by a training, such as "gains 0.30 points from this training (91.73 to 92.03 %)".

    Args:
        before, after: top-1 in [0, 1].
    """
    points = round(100 * after, 2) - round(100 * before, 2)
    change = f"{'gains' if points > 0 else 'loses'} {abs(points):.2f} points" if round(points, 2) else "gains nothing"
    return f"{change} from this training ({100 * before:.2f} to {100 * after:.2f} %)"
