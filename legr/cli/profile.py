"""The command profile: the table of this device. Heavy modules are imported when the command runs."""

from legr.cli import sentences, terminal
from legr.cli.jobs import as_job
from legr.cli.open_study import writable_study
from legr.cli.options import JobId, Json, StudyPath, with_options
from legr.progress import Report
from legr.requests.profile import ProfileRequest
from legr.study.device_profile import DeviceProfile


@with_options
def profile(study: StudyPath, request: ProfileRequest, json: Json = False, job: JobId = None) -> None:
    """Time the network's layers on this device, to predict every budget's latency; goes on where it stopped."""
    from legr.commands.profile import finished_profile
    from legr.commands.profile import profile as run_profile
    from legr.training.device import pick_device

    opened, device = writable_study(study), pick_device(request.device)
    if request.runtime == "onnxruntime":
        device = pick_device("cpu")

    def work(report: Report) -> DeviceProfile:
        return run_profile(opened, request, device, report)

    result = as_job(opened, request, device, job, lambda: finished_profile(opened, request, device), work)
    terminal.result(result, json, sentences.profiling(result))
