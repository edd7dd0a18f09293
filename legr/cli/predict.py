"""Commands that show what networks predict: look at one image, compare on all test images.

Heavy modules are imported when a command needs them.
"""

from pathlib import Path
from typing import Annotated

import typer

from legr.cli import sentences, terminal
from legr.cli.class_table import class_table
from legr.cli.jobs import as_job
from legr.cli.open_study import writable_study
from legr.cli.options import JobId, Json, StudyPath, number, with_options
from legr.commands.prediction_results import ClassesResult, ComparisonResult
from legr.errors import SettingsError
from legr.progress import Report
from legr.requests.measure import ClassesRequest, CompareRequest, LookRequest
from legr.requests.ranges import IMAGE_NUMBER
from legr.study.store import Study


@with_options
def look(
    study: StudyPath,
    request: LookRequest,
    image: Annotated[Path | None, typer.Option(help="A PNG, JPEG, WebP or BMP file.")] = None,
    test_image: Annotated[int | None, number("Number of a test image.", IMAGE_NUMBER, "--test-image")] = None,
    json: Json = False,
) -> None:
    """Predict one image with the original and the pruned network."""
    from legr.commands.look import NumberedTestImage
    from legr.commands.look import look as run_look

    which = image if test_image is None else NumberedTestImage(test_image)
    if which is None or (image is not None and test_image is not None):
        raise SettingsError("give either --image FILE or --test-image NUMBER")
    result = run_look(Study.open(study), request, which, terminal.Echo())
    terminal.result(result, json, sentences.look(result))


@with_options
def compare(study: StudyPath, request: CompareRequest, json: Json = False, job: JobId = None) -> None:
    """Predict every test image with the original and the pruned network; both predictions are stored in the study."""
    from legr.commands.compare import compare as run_compare
    from legr.commands.compare import stored_comparison
    from legr.training.device import pick_device

    device, opened = pick_device(request.device), writable_study(study)

    def finished() -> ComparisonResult | None:
        return stored_comparison(opened, request)

    def work(report: Report) -> ComparisonResult:
        return run_compare(opened, request, device, report)

    result = as_job(opened, request, device, job, finished, work)
    terminal.result(result, json, sentences.comparison(result))


@with_options
def classes(study: StudyPath, request: ClassesRequest, json: Json = False, job: JobId = None) -> None:
    """Predict every test image with networks along the slider: which classes lose, and what changes first."""
    from legr.commands.classes import classes as run_classes
    from legr.commands.classes import stored_classes
    from legr.training.device import pick_device

    device, opened = pick_device(request.device), writable_study(study)

    def finished() -> ClassesResult | None:
        return stored_classes(opened, request.ranking)

    def work(report: Report) -> ClassesResult:
        return run_classes(opened, request, device, report)

    result = as_job(opened, request, device, job, finished, work)
    terminal.result(result, json, class_table(result))
