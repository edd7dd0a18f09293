"""What `shape` is asked of all layers alike, and of whole blocks."""

from dataclasses import dataclass

from legr.bounds import Bounds
from legr.ranking.constraints import MULTIPLES
from legr.requests.options import Request, option


@dataclass(frozen=True)
class ShapeRequest(Request):
    """The multiple of channels, whether whole blocks may leave, and which of them are to stay or to go."""

    command = "shape"

    multiple: int | None = option("Round channels to multiples of 1, 4, 8, 16 or 32.", bounds=Bounds(1, max(MULTIPLES)))
    blocks: bool | None = option("Whole blocks may leave as well.", negatable=True)
    keep_blocks: tuple[str, ...] | None = option("Blocks that never leave, separated by commas.")
    remove_blocks: tuple[str, ...] | None = option("Blocks that no network has, separated by commas.")
