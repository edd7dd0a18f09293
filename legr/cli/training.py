"""Commands that train: from scratch, and a pruned network back to accuracy."""

from dataclasses import replace

from legr.allocation import keep_freed_memory
from legr.cli import sentences, terminal
from legr.cli.jobs import as_job
from legr.cli.open_study import writable_study
from legr.cli.options import JobId, Json, StudyPath, with_options
from legr.commands.results import FinetuneResult, SupernetResult
from legr.errors import SettingsError
from legr.progress import Report
from legr.requests.supernet import SupernetRequest
from legr.requests.train import ALIKE, FinetuneRequest, TrainRequest
from legr.training.supernet_settings import SupernetSettings


@with_options
def train(request: TrainRequest, json: Json = False) -> None:
    """Train a network from scratch, or on; goes on where it stopped. A study is then made with these weights."""
    keep_freed_memory()
    from legr.commands.together import TogetherTask, train_together
    from legr.commands.train import TrainTask, train_weights
    from legr.models.input_shape import image_shape
    from legr.models.zoo import choose_model
    from legr.training.device import pick_device

    if request.supernet is None and (request.smallest, request.alike) != (None, None):
        raise SettingsError("--smallest and --alike are about --supernet; name a folder with it, or leave them out")
    if not request.model or not request.data:
        raise SettingsError("train needs --model and --data, such as --model cifar_resnet20 --data cifar10")
    task = TrainTask(
        out=request.out,
        spec=choose_model(request.model)[0],
        data=request.data,
        settings=request.settings,
        normalize=request.normalize,
        split_seed=request.split_seed,
        input_shape=image_shape(request.input) if request.input else None,
        first=request.weights,
        half=request.half,
    )
    device = pick_device(request.device)
    if request.supernet is not None:
        smallest, alike = request.smallest or SupernetSettings().smallest, request.alike
        both = TogetherTask(task, request.supernet, smallest, ALIKE if alike is None else alike)
        together = train_together(both, device, terminal.Echo())
        terminal.result(together, json, sentences.together(together, request.out.name))
        return
    result = train_weights(task, device, terminal.Echo())
    terminal.result(result, json, sentences.training(result, request.out.name))


@with_options
def finetune(study: StudyPath, request: FinetuneRequest, json: Json = False, job: JobId = None) -> None:
    """Train the network at a budget back to accuracy; goes on where it stopped."""
    keep_freed_memory()
    from legr.commands.finetune import Tuning, finished_finetune, run_finetune
    from legr.commands.network import network_id, require_network
    from legr.training.device import pick_device

    device, opened = pick_device(request.device), writable_study(study)
    ranking = request.ranking or opened.default_ranking  # the job goes on with it, whatever is learned meanwhile
    request, budget = replace(request, ranking=ranking), request.budget
    tuning = Tuning(request.settings, ranking, request.half, request.start)
    if not (job or request.network):
        request = replace(request, network=network_id(opened, budget, ranking))

    def finished() -> FinetuneResult | None:
        require_network(opened, budget, ranking, request.network)
        return finished_finetune(opened, budget, tuning)

    def work(report: Report) -> FinetuneResult:
        require_network(opened, budget, ranking, request.network)
        return run_finetune(opened, budget, tuning, device, report)

    result = as_job(opened, request, device, job, finished, work)
    terminal.result(result, json, sentences.finetuning(result))


@with_options
def supernet(study: StudyPath, request: SupernetRequest, json: Json = False, job: JobId = None) -> None:
    """Train the networks of all budgets together, as slices of one set of weights; goes on where it stopped."""
    keep_freed_memory()
    from legr.commands.supernet import finished_supernet, run_supernet
    from legr.training.device import pick_device

    device, opened, settings = pick_device(request.device), writable_study(study), request.settings
    ranking = request.ranking or opened.default_ranking  # the job goes on with it, whatever is learned meanwhile
    request = replace(request, ranking=ranking)

    def finished() -> SupernetResult | None:
        return finished_supernet(opened, settings, ranking, half=request.half)

    def work(report: Report) -> SupernetResult:
        return run_supernet(opened, settings, device, report, ranking=ranking, half=request.half)

    result = as_job(opened, request, device, job, finished, work)
    terminal.result(result, json, sentences.supernet(result))
