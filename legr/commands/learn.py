"""Learn a study's ranking: the search, on the study's images."""

import logging
import math
from dataclasses import dataclass, replace

import torch

from legr.commands.calibration import calibration_of
from legr.commands.images import images_of
from legr.commands.original import original
from legr.commands.provenance import provenance_of
from legr.errors import SettingsError
from legr.progress import Report, silent
from legr.ranking.order import Ranker
from legr.ranking.rounding import multiple_on
from legr.requests.learn import LearnRequest
from legr.search.fitness import Fitness
from legr.search.learn import Search, learn, standing
from legr.search.mask_gradient import TrainingProbe
from legr.search.methods import METHODS, Material, check, learner, scored_budgets
from legr.search.pricing import Pricing
from legr.search.types import LearnResult
from legr.search.workers import Workers
from legr.study.device_choice import advice, profile_id
from legr.study.device_profile import read_device
from legr.study.pass_times import note_pass_time
from legr.study.records import EFFORTS, SearchSettings
from legr.study.store import Study
from legr.training.settings import STATISTICS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SearchTask:
    """A search, how far it is, and how far it is to go."""

    settings: SearchSettings
    effort: float  # passes it is to have spent in the end
    passes_spent: float
    settled: bool  # more effort would change nothing

    @property
    def is_done(self) -> bool:
        """Nothing is left to evaluate."""
        return self.settled or self.passes_spent >= self.effort


def search_task(study: Study, request: LearnRequest) -> SearchTask:
    """Work out which search is asked for, and how much of it is finished. No network or image is loaded.

    Args:
        request: without settings, the search goes on that learned the study's ranking. Without candidates, the effort
            is the method's standard one, or what the search has spent if that is more. Where it does not say so, whole
            blocks may leave candidates as they may leave the study's networks.

    Raises:
        SettingsError: a setting is out of range.
        BudgetError: a budget is below the floor.
    """
    learned, chosen = study.learned, request.settings
    if chosen is not None or not learned:
        settings = chosen or SearchSettings()
        if request.blocks is None:
            settings = replace(settings, blocks=study.constraints.blocks)
        _require_valid(settings)
    else:
        settings = learned.settings
        _require_offered(study, settings)
    settings = _of_device(study, settings)
    pricing = pricing_of(study, settings)
    curve = pricing.curve()  # candidates have no constraints of the user's
    for budget in settings.budgets:
        curve.step(pricing.limit(budget))
    spent, settled = standing(study, settings)
    standard = max(EFFORTS[settings.method]["Standard"], spent)
    return SearchTask(settings, standard if request.candidates is None else request.candidates, spent, settled)


def run_learn(
    study: Study, task: SearchTask, device: torch.device, report: Report = silent, workers: int | None = None
) -> LearnResult:
    """Search until the planned effort is spent; a finished search returns at once.

    Args:
        workers: networks that are scored side by side (`Workers`).

    Raises:
        SettingsError: `workers` is below 1.
    """
    settings, team = task.settings, Workers(workers, device)
    result = learn(
        study,
        settings,
        task.effort,
        lambda: search_of(study, settings, device, report, workers=team),
        report,
        lambda seconds: provenance_of(_command(study, task), seconds, device, settings.seed),
    )
    usual = SearchSettings()
    if not task.is_done and (settings.images, settings.sgd_steps) == (usual.images, usual.sgd_steps):
        note_pass_time(study.info.weights_sha256, result.seconds / result.passes, settings.method)
    return result


def search_of(
    study: Study,
    settings: SearchSettings,
    device: torch.device,
    report: Report = silent,
    *,
    workers: Workers | None = None,
    ranker: Ranker | None = None,
) -> Search:
    """Load what a search needs: the network and its images.

    Args:
        workers: score its networks; by default as many as are usual.
        ranker: ranks by other norms than the study's.
    """
    model, dataset, normalization = original(study), images_of(study, report), study.info.normalization
    structure = study.structure
    calibration = calibration_of(study, dataset, device, report)
    fitness = Fitness(model, structure, dataset, normalization, settings, device, workers, calibration)
    if fitness.n_images < settings.images:
        log.info("%d images are held out; candidates are scored on all of them", fitness.n_images)

    def probe(images: int) -> TrainingProbe:
        return TrainingProbe(model, structure, dataset.train, normalization, images=images, device=device)

    pricing = pricing_of(study, settings, ranker)
    if pricing.multiple > 1:
        log.info("candidates have channels in multiples of %d", pricing.multiple)
    budgets = scored_budgets(settings, pricing.floor)
    return Search(pricing, budgets, learner(Material(pricing, settings, probe)), fitness, settings.images)


def pricing_of(study: Study, settings: SearchSettings, ranker: Ranker | None = None) -> Pricing:
    """How a search counts what networks cost.

    Args:
        ranker: ranks by other norms than the study's.
    """
    ranker = ranker or study.ranker
    if settings.cost == "macs":
        return Pricing(ranker, blocks=settings.blocks)
    device = read_device(study, settings.device_profile, study.structure)
    multiple = multiple_on(ranker, device.table, device.profile.multiple, settings.blocks)
    return Pricing(ranker, device.table, multiple, settings.blocks)


def _of_device(study: Study, settings: SearchSettings) -> SearchSettings:
    """The settings with the measurements of the device that they name.

    Raises:
        SettingsError: a device is missing, named where it counts for nothing, or was measured anew since.
        StudyError: there is no such profile.
    """
    name = settings.device_profile
    if settings.cost == "macs":
        if name:
            raise SettingsError(f"MACs are the same on every device; give --cost latency to learn for {name}")
        return settings
    if not name:
        raise SettingsError(f"latency depends on the device; {advice(study)}")
    current = profile_id(read_device(study, name, study.structure).profile)
    if settings.profile_id not in ("", current):
        raise SettingsError(
            f"the profile of {name} was measured anew since the ranking of {study.path.name} was learned for it; "
            f"learn again with --cost latency --device-profile {name}"
        )
    return replace(settings, profile_id=current)


def _command(study: Study, task: SearchTask) -> list[str]:
    """The arguments that learn this again."""
    request = LearnRequest.for_settings(task.settings, math.ceil(task.effort))
    return ["learn", "--study", study.path.name, *request.full_arguments()]


def _require_offered(study: Study, settings: SearchSettings) -> None:
    """Refuse to go on with a search that an earlier version offered, and this one does not."""
    try:
        _require_valid(settings)
    except SettingsError as error:
        raise SettingsError(
            f"the ranking of {study.path.name} was learned with settings that can no longer be chosen ({error}); "
            f"learn a new one with --method {' or '.join(METHODS)}"
        ) from error


def _require_valid(settings: SearchSettings) -> None:
    check(settings)
    for rule, value, ok in (
        ("budgets must be in (0, 1]", settings.budgets, all(0 < budget <= 1 for budget in settings.budgets)),
        ("images must be at least 2", settings.images, settings.images >= 2),
        ("seed must be in [0, 2**32)", settings.seed, 0 <= settings.seed < 2**32),
        ("steps must be 0 or more", settings.sgd_steps, settings.sgd_steps >= 0),
        (f"statistics must be one of {', '.join(STATISTICS)}", settings.statistics, settings.statistics in STATISTICS),
    ):
        if not ok:
            raise SettingsError(f"{rule}, got {value}")
