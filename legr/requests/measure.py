"""The requests that ask how good networks are: measured, compared with the original, or asked about one image."""

from dataclasses import dataclass

from legr.data.sizes import HEIGHTS
from legr.ranking.limits import Budget
from legr.requests.job import JobRequest
from legr.requests.options import Request, option
from legr.requests.ranges import BATCH, FRACTION, THREADS
from legr.requests.shared import DEVICE, RANKING, RUN, SIZE, budget_option
from legr.study.latency import Runtime
from legr.study.records import RankingName


@dataclass(frozen=True)
class MeasureRequest(JobRequest):
    """Which networks are to be measured, and how they are timed."""

    command = "measure"

    budgets: tuple[float, ...] | None = option("Fractions of MACs, separated by commas.", bounds=FRACTION)
    batch: int = option("Batch of the latency measurement.", 1, bounds=BATCH)
    threads: int = option("Processor threads that time a network; at most all cores.", 1, bounds=THREADS)
    runtime: Runtime = option(
        "What runs the network that is timed: onnxruntime, which runs exported networks on the processor, or pytorch.",
        "onnxruntime",
    )
    again: bool = option("Measure again what was timed while other programs were at work, or varied much.", False)
    sizes: tuple[int, ...] | None = option(
        "Heights of images that networks are measured with as well, such as 32,28,24: along the default ranking, and "
        "along each that has a supernet, with its weights.",
        bounds=HEIGHTS,
    )
    device: str = option(DEVICE, "auto")


@dataclass(frozen=True)
class NetworkRequest(Request):
    """Parent of the requests about one network: which, and with which weights."""

    budget: Budget = budget_option()
    ranking: RankingName | None = option(RANKING)
    finetuned: bool = option("Use fine-tuned weights.", True, negatable=True)
    size: int | None = option(SIZE, bounds=HEIGHTS)
    device: str = option(DEVICE, "auto")
    run: str | None = option(RUN, hidden=True)


@dataclass(frozen=True)
class CompareRequest(NetworkRequest, JobRequest):
    """Which network is to be compared with the original."""

    command = "compare"


@dataclass(frozen=True)
class ClassesRequest(JobRequest):
    """Which ranking's networks are to predict every test image."""

    command = "classes"

    ranking: RankingName | None = option(RANKING)
    device: str = option(DEVICE, "auto")


@dataclass(frozen=True)
class LookRequest(NetworkRequest):
    """Which network is to predict one image beside the original."""

    command = "look"
