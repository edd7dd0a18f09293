"""The requests that run as jobs."""

from collections.abc import Mapping

from legr.requests.export import ExportRequest
from legr.requests.job import JobRequest
from legr.requests.learn import LearnRequest
from legr.requests.measure import ClassesRequest, CompareRequest, MeasureRequest
from legr.requests.profile import ProfileRequest
from legr.requests.supernet import SupernetRequest
from legr.requests.train import FinetuneRequest

#: By command.
JOB_REQUESTS: Mapping[str, type[JobRequest]] = {
    request.command: request
    for request in (
        *(LearnRequest, MeasureRequest, FinetuneRequest, SupernetRequest),
        *(ExportRequest, CompareRequest, ClassesRequest, ProfileRequest),
    )
}
