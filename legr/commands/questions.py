"""Questions about one image, and their answers: what `look` returns, and what a process that keeps networks is sent.

No torch, so that a page may ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from legr.record import Record
from legr.requests.ranges import IMAGE_NUMBER
from legr.schema import Count, Plain, Several, Share, Text
from legr.study.records import RankingName


@dataclass(frozen=True)
class Prediction(Record):
    """One of the most probable classes of an image."""

    index: Annotated[Count, Field(alias="class")]  # among the classes of the study
    name: str
    probability: Share


@dataclass(frozen=True)
class Picture(Record):
    """An image as the smaller of the networks sees it: the first part of the answer."""

    label: Count | None  # index of the right class; None where it is not known
    test_image: Count | None  # its number, from 1; None for a file
    test_images: Count | None  # how many there are; None for a file
    preparation: Annotated[str, Field(alias="prepared")]  # in words, how the image was made to fit the network
    network_input: Annotated[str, Field(alias="seen")]  # the image as the smaller one sees it: PNG or JPEG in base64
    file_image: Annotated[str | None, Field(alias="picture")]  # the image before preparation; None for a test image


@dataclass(frozen=True)
class LookResult(Picture):
    """`look`: what two networks predict for one image, the most probable class first."""

    original: Several[Prediction]
    pruned: Several[Prediction]
    macs_fraction: Share
    ranking: RankingName
    finetuned: bool
    epochs: Count | None  # of fine-tuning; None without
    recalibrated: bool
    statistics_known: bool  # False: the batch-norm statistics of its weights, as the images are not here
    calibration: str = ""  # key of what its batch norms are recalibrated on, where they are
    supernet: str = ""  # key of the supernet whose weights it has
    height: Count | None = None  # of the images that the smaller network takes; None: the study's own


@dataclass(frozen=True)
class Question(Record):
    """What two networks predict for an image."""

    study: Text  # its folder
    request: Mapping[str, Plain]  # a `LookRequest`
    image: Text | None = None  # a file
    test_image: Annotated[int, Field(ge=IMAGE_NUMBER.low, le=IMAGE_NUMBER.high)] | None = None
    network: Text | None = None  # `comparison_name` of the network that is meant; None takes any
    number: Count = 0  # which its answers repeat


@dataclass(frozen=True)
class Answer(Record):
    """One of the answers to a question: its picture, then a result or a sentence, which is the last.

    Attributes:
        sentence: what is wrong; "" where nothing is.
    """

    number: Count
    picture: Picture | None = None
    result: LookResult | None = None
    sentence: str = ""
