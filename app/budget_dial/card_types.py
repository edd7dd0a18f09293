"""The card of a layer as the browser is sent it; `frontend/types.d.ts` declares the same fields for the scripts."""

from typing import TypedDict


class PartnerData(TypedDict):
    """Another layer whose filters leave with those of a layer."""

    layer: str
    shared: int  # filters of the layer that leave with some of this one's


class KernelsData(TypedDict):
    """Filters that read pictures, as pictures."""

    height: int
    width: int
    pixels: list[str]  # of each filter, in the order of the card: height x width colours as hexadecimal RGB


class CardData(TypedDict):
    """Why a layer keeps the filters that it keeps; see `legr.charts.layer_filters`.

    K filters, the first to leave first.
    """

    id: str  # of the table that it is shown beside
    layer: str
    ranking: str
    alpha: float | None  # None: the ranking compares places in groups
    kappa: float | None
    numbers: list[int]  # [K], of the filters in the layer
    norms: list[float]  # [K]
    own: list[float]  # [K]
    scores: list[float | None]  # [K]; None: it can never leave
    gone_below: list[float | None]  # [K], per cent of the original's MACs; 0: it stays always; None: pins remove it
    partners: list[PartnerData]
    kernels: KernelsData | None


class CostsData(TypedDict):
    """What the network of a budget would cost if a layer kept another number of filters; N numbers, rising."""

    id: str  # of the table that they are shown beside
    layer: str
    ranking: str
    kept: list[int]  # [N]
    macs: list[int]  # [N]
    params: list[int]  # [N]
    latency: list[float] | None  # [N], milliseconds, predicted; None: the device has no profile
