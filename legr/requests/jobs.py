"""The requests that run as jobs."""

from collections.abc import Mapping

from legr.requests.profile import ProfileRequest
from legr.requests.types import CompareRequest, ExportRequest, FinetuneRequest, JobRequest, LearnRequest, MeasureRequest

#: By command.
JOB_REQUESTS: Mapping[str, type[JobRequest]] = {
    request.command: request
    for request in (LearnRequest, MeasureRequest, FinetuneRequest, ExportRequest, CompareRequest, ProfileRequest)
}
