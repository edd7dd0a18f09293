"""What the commands return that ask networks about every test image. No torch."""

from dataclasses import dataclass

from legr.record import Record
from legr.schema import Several
from legr.study.records import RankingName


@dataclass(frozen=True)
class ClassesAt(Record):
    """Top-1 of one network on the images of each class."""

    keep_id: str
    macs_fraction: float
    top1: float  # on all test images, in [0, 1]
    top1_of_classes: Several[float | None]  # None: a class has no test images


@dataclass(frozen=True)
class ClassesResult(Record):
    """`classes`: which classes lose accuracy along the slider."""

    ranking: RankingName
    supernet: str  # key of the one whose weights the networks have; "": they are pruned
    calibration: str
    classes: Several[str]
    images: int
    networks: Several[ClassesAt]  # the original first, then smaller and smaller ones
    changed_first: Several[int]  # numbers of test images, from 1, whose prediction changes, the first to change first


@dataclass(frozen=True)
class ComparisonResult(Record):
    """`compare`: test images by which of two networks is right."""

    comparison: str  # name of the stored comparison
    images: int
    both: int
    only_original: int
    only_pruned: int
    neither: int
    differ: int  # the two predict different classes
    top1_original: float  # in [0, 1]
    top1: float
    macs_fraction: float
    ranking: RankingName
    finetuned: bool
    recalibrated: bool
    calibration: str = ""  # key of what its batch norms are recalibrated on, where they are
    supernet: str = ""  # key of the supernet whose weights it has
    height: int | None = None  # of the images that the pruned network takes; None: the study's own
