"""How the values of an image are normalized before a network sees them; imported without torch."""

import math
from dataclasses import dataclass
from typing import Literal

from legr.errors import SettingsError
from legr.record import Record
from legr.schema import Real, Several

CHANNELS = (1, 3)  # grey; red, green, blue
#: What an exported network does of it itself: nothing; all of it, on numbers from 0 to 255; all of it, on bytes as
#: decoders and cameras give them.
Preprocess = Literal["none", "normalize", "uint8"]


@dataclass(frozen=True, slots=True)
class Normalization(Record):
    """From bytes to a network's input: (value / 255 - mean) / std, channel by channel.

    Attributes:
        kind: where the numbers come from.
        mean: red, green, blue, or grey alone, in [0, 1].
        std: as many, above 0.

    Raises:
        SettingsError: not three finite numbers each (or one), or a std that is not above 0.
    """

    kind: Literal["imagenet", "dataset", "custom"]
    mean: Several[Real]
    std: Several[Real]

    def __post_init__(self) -> None:
        if self.kind not in ("imagenet", "dataset", "custom"):
            raise SettingsError(f"normalization must be imagenet, dataset or custom, got {self.kind!r}")
        if len(self.mean) not in CHANNELS or not all(map(math.isfinite, self.mean)):
            raise SettingsError(f"the mean must be three finite numbers (red, green, blue) or one, got {self.mean}")
        if len(self.std) != len(self.mean) or not all(math.isfinite(value) and value > 0 for value in self.std):
            raise SettingsError(f"the std must be {len(self.mean)} numbers above 0, as the mean, got {self.std}")


IMAGENET_NORMALIZATION = Normalization("imagenet", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
