"""What is said of the accuracy of a network that is handed out: of exactly its kept set and weights."""

import json
from dataclasses import replace

import pytest

from legr.study.accuracy import KnownAccuracy, accuracy_at_height, accuracy_of
from legr.study.known import KnownNetwork
from legr.study.records import RANKINGS, FineTuned, Point
from legr.study.sized import SizedNetwork
from legr.study.supernets import SupernetPoint, SupernetRun

POINT = Point("learned", "r", 0.5, 50, 5, 0.5, 0.61, 1.0, 100, True, None, keep_id="half")
WHOLE = replace(POINT, ranking="original", macs_fraction=1.0, top1=0.93, keep_id="whole")
RUN = FineTuned("run", "third", 0.3, None, 0.3, 0.9, 0.9, 1, 1.0)
KNOWN = {
    "half": KnownNetwork("half", 0.5, pruned=(POINT,)),
    "whole": KnownNetwork("whole", 1.0, pruned=(WHOLE,)),
    "third": KnownNetwork("third", 0.3, runs=(RUN,)),
    "tenth": KnownNetwork("tenth", 0.1, runs=(replace(RUN, macs_fraction=0.1, top1=0.5),)),
}


@pytest.mark.parametrize(
    ("keep_id", "share", "run", "words"),
    [
        (
            *("half", 0.5, None),
            "Not fine-tuned: 61.0 % top-1 on the test images, and the original 93.0 %. "
            "A network fine-tuned at 30 % of the MACs has 90.0 %.",
        ),
        (
            *("other", 0.5, None),
            "Not fine-tuned, and its accuracy was not measured. A network fine-tuned at 30 % of the MACs has 90.0 %.",
        ),
        ("third", 0.3, RUN, "Fine-tuned: 90.0 % top-1 on the test images (30.0 % before), and the original 93.0 %."),
        (
            *("third", 0.3, replace(RUN, top1_before=0.88, supernet="together")),
            "Fine-tuned: 90.0 % top-1 on the test images (88.0 % before with weights trained together), and the "
            "original 93.0 %.",
        ),
        ("whole", 1.0, None, "The whole network: 93.0 % top-1."),
    ],
)
def test_of_a_network(keep_id: str, share: float, run: FineTuned | None, words: str) -> None:
    accuracy = accuracy_of(KNOWN, keep_id, share, run, "learned")
    assert accuracy.words == words
    assert KnownAccuracy.from_dict(json.loads(json.dumps(accuracy.to_dict()))) == accuracy


def test_where_nothing_was_measured() -> None:
    nothing = accuracy_of({}, "half", 0.5, None, "learned")
    assert nothing.words == "Not fine-tuned, and its accuracy was not measured. Fine-tune it, then export again."
    assert accuracy_of({}, "third", 0.3, RUN, "learned").words == (
        "Fine-tuned: 90.0 % top-1 on the test images (30.0 % before)."
    )
    assert accuracy_of({}, "whole", 1.0, None, "learned").words == "The whole network."


def test_a_network_of_another_ranking_is_not_quoted() -> None:
    known = {
        "learned": KnownNetwork("learned", 0.3, runs=(replace(RUN, ranking="learned"),)),
        "uniform": KnownNetwork("uniform", 0.2, runs=(replace(RUN, ranking="uniform", top1=0.7),)),
        "early": KnownNetwork("early", 0.4, runs=(replace(RUN, ranking="", top1=0.8),)),
    }
    quoted = {name: accuracy_of(known, "other", 0.5, None, name).nearest for name in RANKINGS}
    # What noted none is no run of a ranking that came later.
    assert quoted == {"learned-ms": None, "learned": 0.8, "identity": 0.8, "uniform": 0.7}


def test_what_is_known_with_images_of_another_height_is_of_exactly_these_weights() -> None:
    sized = [
        SizedNetwork("learned", "a", 24, "s", 50, 9, 0.5, 0.81, 10),
        SizedNetwork("learned", "a", 20, "", 40, 9, 0.5, 0.62, 10),
    ]
    other = SupernetPoint("b", 9, 9, 1, 32, 0.9, 1, 9)
    supernet = SupernetRun("s", "learned", "", 0.2, None, 0.9, 3, 9.0, "plain", (other,))

    def said(run: SupernetRun | None, height: int) -> str:
        return accuracy_at_height(sized, "a", 0.5, run, height).words

    scaled = "top-1 on the test images with images scaled to a height of"
    assert said(supernet, 24) == f"Trained together with all budgets: 81.0 % {scaled} 24."
    assert said(None, 20) == f"Not fine-tuned: 62.0 % {scaled} 20."
    assert said(None, 24) == "Its accuracy with images scaled to a height of 24 was not measured."
    assert "its top-1 was not measured with images scaled to a height of 20" in said(supernet, 20)
