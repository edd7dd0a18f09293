"""Exports on a page: which network the button exports and how, and finished ones, each with its budget and its zip."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import streamlit as st

from app.budget_dial.opened import OpenedRun
from app.curves import budget_curve, measurements
from app.facts import network_name
from app.views.export_options import ExportOptions, choose_size, choose_weights, options_line
from app.views.job_panel import result_of
from app.views.weights import weights_of
from app.words import plain, plural
from legr.commands.results import ExportResult
from legr.errors import JobError
from legr.escape import file_name
from legr.jobs import records
from legr.jobs.records import Job
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.study.accuracy import accuracy_at_height, accuracy_of
from legr.study.kept_sets import keep_id
from legr.study.records import FineTuned, RankingName
from legr.study.store import Study
from legr.study.supernets import SupernetRun
from legr.study.trained import TrainedRun


@dataclass(frozen=True, slots=True)
class ExportTarget:
    """The network that the button exports: that of the budget on screen, or that of the run which is open.

    Attributes:
        ranking: of the budget.
        keep_id: its kept set.
        macs_fraction: its cost, as a fraction of the original's.
        run: of fine-tuning, or the supernet, whose weights the zip will hold; None: those of the original, pruned.
        opened: it is there by its run, not by the budget.
        size: height of the images that it takes; None: the study's own.
    """

    study: Study
    ranking: RankingName
    budget: Budget
    keep_id: str
    macs_fraction: float
    run: TrainedRun | None
    opened: bool
    size: int | None = None

    @classmethod
    def on_screen(cls, study: Study, ranking: RankingName, budget: Budget, opened: OpenedRun | None) -> "ExportTarget":
        """The network on screen, with the weights that the user chooses where a supernet gives some as well."""
        if opened:
            return cls(study, ranking, opened.budget, opened.run.keep_id, opened.run.macs_fraction, opened.run, True)
        curve = budget_curve(study, ranking)
        step = curve.step(budget)
        keep = curve.keep(step)
        size = choose_size(study, ranking)
        runs = weights_of(study, ranking, keep, size)
        run = runs[choose_weights(list(runs))]
        fraction = int(curve.macs[step]) / curve.original.macs
        return cls(study, ranking, budget, keep_id(keep), fraction, run, False, size)

    @property
    def name(self) -> str:
        """Its budget in words."""
        if self.opened and isinstance(self.run, FineTuned):
            return _run_name(self.run)
        return network_name(self.study, self.budget, self.ranking) + _of_images(self.size)

    def request(self, study: Study, options: ExportOptions) -> ExportRequest:
        """What exports it, with exactly these weights, from a study, which may be a copy of the sample on screen."""
        request = ExportRequest(self.budget, study.path, **options._asdict())
        if self.run is not None:
            network = self.keep_id if isinstance(self.run, SupernetRun) else None
            ranking = None if self.opened else self.ranking
            request = replace(request, run=self.run.key, ranking=ranking, network=network)
        else:
            request = replace(request, network=self.keep_id, ranking=self.ranking, finetuned=False)
        return replace(request, out=study.path / "exports" / request.folder_name)

    def is_of(self, job: Job, options: ExportOptions) -> bool:
        """Whether a finished export is of this network with the weights that it has now, and as the options say."""
        request, result = job.request, result_of(job, ExportResult)
        assert isinstance(request, ExportRequest)
        if ExportOptions(request.batch, request.opset, request.preprocess, request.size) != options:
            return False
        if self.opened or request.run:
            is_network = request.network == self.keep_id or not isinstance(self.run, SupernetRun)
            return self.run is not None and request.run == self.run.key and is_network
        if request.network != self.keep_id:
            return False
        if isinstance(self.run, SupernetRun):
            return result.supernet == self.run.key
        trained = self.run is None or _time(self.run.created) <= job.created
        return (result.finetuned, result.supernet) == (self.run is not None, "") and trained


def weights_line(target: ExportTarget) -> str:
    """Which weights an export will have."""
    measured, known = measurements(target.study), measurements(target.study).known
    if target.size is not None:
        trained = "the fine-tuned weights" if isinstance(target.run, FineTuned) else "its slice of the supernet"
        which = trained if target.run else "the weights as pruned"
        accuracy = accuracy_at_height(measured.sized, target.keep_id, target.macs_fraction, target.run, target.size)
        return f"The zip will hold {which}. {accuracy.words}"
    if isinstance(target.run, FineTuned):
        return f"The zip will hold the fine-tuned weights: {100 * target.run.top1:.2f} % top-1."
    if target.run is not None:
        accuracy = accuracy_of(known, target.keep_id, target.macs_fraction, target.run, target.ranking)
        return f"The zip will hold its slice of the supernet. {accuracy.words}"
    network = known.get(target.keep_id)
    if network and network.top1_after is not None:
        return (
            f"The zip will hold the weights as pruned: the fine-tuned ones ({100 * network.top1_after:.2f} % top-1) "
            "are not in this study."
        )
    accuracy = accuracy_of(known, target.keep_id, target.macs_fraction, None, target.ranking)
    return f"The zip will hold the weights as pruned. {accuracy.words}"


def show_exports(target: ExportTarget, options: ExportOptions) -> None:
    """Finished exports, each with its budget: first that of the network on screen, then the others in a list."""
    jobs = finished_exports(target.study)
    current = next((job for job in jobs if target.is_of(job, options)), None)
    if current:
        _show_export(target.study, current, target.name)
    others = [job for job in jobs if job is not current]
    if others:
        with st.expander(f"Exported before: {plural(len(others), 'network')}", expanded=not current):
            for job in others:
                _show_export(target.study, job, None)


def finished_exports(study: Study) -> list[Job]:
    """Exports that are done, newest first; of several into one folder the last, which replaced the others.

    One whose record is damaged is left out.
    """
    by_folder: dict[Path, Job] = {}
    for job in records.list_jobs(study):
        if job.state == "done" and isinstance(job.request, ExportRequest):
            with suppress(JobError):
                result_of(job, ExportResult)
                by_folder.setdefault(job.request.out, job)
    return list(by_folder.values())


def exported_name(study: Study, request: ExportRequest) -> str:
    """The budget of an export in words."""
    if request.run and request.ranking is None:  # else it was exported by its budget
        run = next((run for run in measurements(study).runs if run.key == request.run), None)
        return _run_name(run) if run else f"run {request.run}"
    return network_name(study, request.budget, request.ranking) + _of_images(request.size)


def _of_images(size: int | None) -> str:
    """Which images a network takes, behind its name; "" where they are the study's own."""
    return f" ({size} px)" if size else ""


def _show_export(study: Study, job: Job, on_screen: str | None) -> None:
    """An export and a button that downloads its zip, the main one of the page where it is of the network on screen."""
    assert isinstance(job.request, ExportRequest)
    result, name = result_of(job, ExportResult), on_screen or exported_name(study, job.request)
    weights = "its fine-tuned weights" if result.finetuned else "its weights as pruned, not fine-tuned"
    weights = "its slice of the supernet" if result.supernet else weights
    file = options_line(result.batch, result.opset, result.preprocess)
    facts = filter(None, (result.accuracy.words if result.accuracy else "", file, check_line(result)))
    text = plain(f"The {name} network is exported with {weights}. {' '.join(facts)}")
    if on_screen:
        st.success(text)
    else:
        st.caption(text)
    archive = Path(result.zip)
    if archive.is_file() and archive.resolve().is_relative_to(study.path.resolve()):  # no file from elsewhere
        st.download_button(
            plain(f"Download the {name} network"),
            archive.read_bytes,
            file_name(f"{study.path.name}-{archive.name}"),
            "application/zip",
            key=f"download-{job.id}",
            on_click="ignore",
            type="primary" if on_screen else "secondary",
        )
    else:
        st.caption("The zip is not in this study: export again.")


def _run_name(run: FineTuned) -> str:
    return f"{100 * run.macs_fraction:.1f} % (run {run.key})"


def _time(created: str) -> float:
    """Seconds since 1970 of the time that a record notes; 0 where it notes none."""
    try:
        return datetime.fromisoformat(created).timestamp()
    except ValueError:
        return 0.0


def check_line(result: ExportResult) -> str:
    """The result of the check in ONNX Runtime, in one sentence; "" where it was not checked."""
    if result.max_abs_diff is None:
        return ""
    inputs = "the test images" if result.images is None else f"{result.images:,} inputs"
    if result.checked_on == "noise":
        inputs += " of noise, as the images are not on this machine"
    return (
        f"Checked in ONNX Runtime: largest difference to PyTorch {result.max_abs_diff:.1e}, "
        f"same top-1 class on {100 * result.top1_agreement:.2f} % of {inputs}."
    )
