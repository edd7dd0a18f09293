"""The request of an export: which network, and what its files are like."""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import Self

from legr.arguments import plain_name, shortened, whole_number_of
from legr.data.normalization import Preprocess
from legr.data.sizes import HEIGHTS
from legr.errors import SettingsError
from legr.ranking.limits import QUANTITIES, Budget
from legr.requests.job import JobRequest
from legr.requests.options import option
from legr.requests.ranges import BATCH, OPSET
from legr.requests.shared import NETWORK, RANKING, RUN, SIZE, budget_option
from legr.study.records import RankingName

DYNAMIC = "dynamic"


@dataclass(frozen=True)
class ExportRequest(JobRequest):
    """Which network is to be exported, and where to."""

    command = "export"

    budget: Budget = budget_option()
    out: Path = option("Folder to write to.", MISSING)
    network: str | None = option(NETWORK, hidden=True)
    run: str | None = option(RUN, hidden=True)
    ranking: RankingName | None = option(RANKING)
    finetuned: bool = option("Use fine-tuned weights.", True, negatable=True)
    size: int | None = option(SIZE, bounds=HEIGHTS)
    batch: str = option("Images that the ONNX file takes at a time: a number, or dynamic for any.", "1")
    opset: int | None = option("ONNX opset; by default the lowest that the network allows, from 13 on.", bounds=OPSET)
    preprocess: Preprocess = option(
        "What the ONNX file does itself: none; normalize, of float32 from 0 to 255 (N, C, H, W); or uint8, the same "
        "of bytes (N, H, W, C).",
        "none",
    )

    @property
    def images(self) -> int | None:
        """Images that the file takes at a time; None is any number.

        Raises:
            SettingsError: neither a number in range nor "dynamic".
        """
        if self.batch == DYNAMIC:
            return None
        images = whole_number_of(self.batch)
        if images is None or images not in BATCH:
            raise SettingsError(f"batch must be {DYNAMIC} or in {BATCH}, got {shortened(self.batch)}")
        return images

    def with_paths(self, relocate: Callable[[Path], Path]) -> Self:
        return replace(self, out=relocate(self.out))

    def elsewhere(self, exports: Path) -> Self:
        return replace(super().elsewhere(exports), out=exports / self.folder_name)

    @property
    def folder_name(self) -> str:
        """What the folder of such an export is called in a study, such as "macs-50"."""
        size = [f"size-{self.size}"] if self.size else []
        if self.run:
            networks = [plain_name(self.network)] if self.network else []  # a supernet has many
            return "-".join(["run", plain_name(self.run), *networks, *size])
        limits = (
            f"{name.replace('_', '-')}-{limit if QUANTITIES[name].size else 100 * limit:g}"
            for name, limit in self.budget.limits()
        )
        profile = [f"on-{plain_name(self.budget.device_profile)}"] if self.budget.device_profile else []
        return "-".join([*limits, *profile, *([self.ranking] if self.ranking else []), *size])
