"""Predictions along the slider as the browser is sent them; `frontend/types.d.ts` declares the same fields.

Dimensions: B networks, the original first and the smallest last; C classes that are listed.
"""

from typing import TypedDict


class ImageAlong(TypedDict):
    """A test image, and what the networks predict."""

    number: int  # among all test images, from 1
    label: int  # index into `names`
    picture: str  # data URL of a PNG
    classes: list[int]  # [B], indices into `names`
    percent: list[int]  # [B], probability of that class


class AlongData(TypedDict):
    """Which classes lose accuracy, and how test images are classified, along the slider."""

    percent: list[float]  # [B], of the original's MACs
    top1: list[float]  # [B], per cent of all test images
    trained: bool  # together with all budgets; else the networks are as they are cut
    listed: list[str]  # [C], the class that loses most first
    top1_of_listed: list[list[float]]  # [C][B], per cent of the images of the class
    names: list[str]  # of all classes
    images: list[ImageAlong]  # of different classes
    changing: list[ImageAlong]  # those that change first
