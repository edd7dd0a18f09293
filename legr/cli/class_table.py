"""What the command `classes` says to a person who does not ask for `--json`."""

from legr.commands.prediction_results import ClassesResult
from legr.escape import brief, in_line

_CLASSES, _NAME, _CHANGED = 20, 24, 12  # rows; letters of a name; images


def class_table(result: ClassesResult) -> str:
    """A row for each class, the one that loses most in the mean first, at some networks; then what changes first."""
    rows = sorted({0, len(result.networks) - 1, *range(0, len(result.networks), max(1, len(result.networks) // 6))})
    networks = [result.networks[row] for row in rows]
    shares = "".join(f"{100 * network.macs_fraction:>7.1f}" for network in networks)
    all_images = "".join(f"{100 * network.top1:>7.1f}" for network in networks)

    def lost(place: int) -> float:
        first, *others = (network.top1_of_classes[place] for network in result.networks)
        return -1.0 if first is None else first - sum(top1 or 0.0 for top1 in others) / len(others)

    def row(place: int) -> str:
        top1s = (network.top1_of_classes[place] for network in networks)
        return "".join("      -" if top1 is None else f"{100 * top1:>7.1f}" for top1 in top1s)

    places = sorted(range(len(result.classes)), key=lambda place: -lost(place))[:_CLASSES]
    names = [in_line(brief(result.classes[place]))[:_NAME] for place in places]
    left_out = len(result.classes) - len(places)
    changed = ", ".join(map(str, result.changed_first[:_CHANGED])) or "none"
    return "\n".join(
        (
            f"{'% of the MACs':<{_NAME}}{shares}",
            f"{'all images':<{_NAME}}{all_images}",
            *(f"{name:<{_NAME}}{row(place)}" for name, place in zip(names, places, strict=True)),
            *([f"and {left_out} classes that lose less; --json has all"] if left_out else []),
            f"test images that change their prediction first: {changed}",
        )
    )
