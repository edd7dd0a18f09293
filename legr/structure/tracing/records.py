"""What a trace notes of every operation, for a dry run to compare, and of every hypothesis that it takes."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from legr.structure.tracing.hypotheses import Site


class Result(NamedTuple):
    """A tensor that an operation returned, by its channels."""

    shape: tuple[int, ...]
    dim: int | None  # along which channels lie; None: along none
    nodes: Tensor | None  # of these channels, int64[C]


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """An operation and what it returned, for a dry run to compare."""

    name: str
    module: str
    site: Site  # to give up if a dry run fails there
    results: tuple[Result | None, ...]  # None for a tensor that the input does not reach


class Place(NamedTuple):
    """Where an operation stands in a trace."""

    in_pass: int
    operation: int  # number in the pass


@dataclass(frozen=True, slots=True)
class Choice:
    """A hypothesis that was taken at a site, and where."""

    site: Site
    place: Place
    nodes: Tensor
    min_units: int
