"""What a user does with the files of a study and of this machine: open, show, drag, compare, resume, rebuild.

Whatever is in the files, each action ends, and says what is wrong by a `LegrError` or not at all.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from app.budget_dial.devices import chosen_device
from app.budget_dial.study_data import study_data
from app.curves import budget_curve, curve_table, measured_stamp, stamp
from app.facts import facts_of
from app.views.along_data import along_data
from app.views.finetune import runs_table
from app.views.job_panel import active_job_lines, ending_text
from app.views.layers import layers_table
from app.views.study_card import card_facts
from legr.charts.classes_along import classes_along_table
from legr.charts.measurements import measurements_of
from legr.charts.networks import networks_table
from legr.charts.replay import replay_figure, replay_table, thin_out
from legr.charts.search import map_figure, map_table, running_search_table, search_table
from legr.charts.structure import facts, groups_table, reasons_of, reasons_table
from legr.charts.training import training_table
from legr.cli import sentences
from legr.commands.constraints import show_constraints
from legr.commands.show import show
from legr.data.fingerprint import fingerprint_files
from legr.errors import LegrError
from legr.jobs import records
from legr.models.config_file import named_models
from legr.ranking.limits import Budget
from legr.registry import read_registry
from legr.report.facts import conditions, provenance
from legr.report.headline import headline
from legr.report.network import network_of
from legr.report.words import figures, gaps, known_lines
from legr.requests.again import command_again
from legr.search.journal import Journal
from legr.search.replay import frames
from legr.study.along import load_along
from legr.study.calibration_choice import calibration_words
from legr.study.catalog import list_studies, note_of
from legr.study.comparison import list_compared, load_comparison
from legr.study.cuts import load_cuts
from legr.study.left_out import left_out_line
from legr.study.pass_times import seconds_per_pass
from legr.study.records import RankingName
from legr.study.scaled import scaled_points
from legr.study.store import Study
from legr.study.supernets import supernets

_JS = 2**53
Action = Callable[[Path], None]


def for_browser(value: Any) -> None:
    """Refuse what a browser cannot read: NaN, infinity, whole numbers that it does not count, halves of characters."""
    text = json.dumps(value, allow_nan=False, default=str)
    text.encode()
    pending = [json.loads(text)]
    while pending:
        item = pending.pop()
        if isinstance(item, int) and abs(item) > _JS:
            raise AssertionError(f"a browser cannot count to {item:.3g}")
        pending += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()


def rows_for_browser(table: pd.DataFrame) -> None:
    """The same for a table."""
    for_browser(json.loads(table.to_json(orient="values", default_handler=str)))


def look_at(path: Path) -> None:
    """Open a study: what its card, its heading and the commands about it say."""
    study = Study.open(path)
    for say in (card_facts, facts_of, note_of, lambda study: seconds_per_pass(study, "gradient")):
        with said():
            say(study)
    with said():
        result = show(study, Budget(macs=0.5))
        for_browser(result.to_dict())
        sentences.network(result)
    with said():
        reach = show_constraints(study)
        for_browser(reach.to_dict())
        sentences.reach(reach)
    with said():
        structure = study.structure
        rows_for_browser(groups_table(structure))
        rows_for_browser(reasons_table(reasons_of(structure), "unprunable"))
        facts(study.curve(), study.default_ranking, study.info.self_check)


def drag(path: Path) -> None:
    """What the dial and the charts beside it show of each ranking."""
    study = Study.open(path)
    views: tuple[tuple[RankingName, bool], ...] = (
        ("learned", True),
        ("identity", False),  # without the charts, which take longest
        ("uniform", False),
    )
    for ranking, charts in views:
        with said():
            curve = budget_curve(study, ranking)
            stamps = stamp(study), measured_stamp(study)
            for_browser(study_data(str(path), ranking, stamps, charts, 0.5, 40.0, chosen_device(study), True))
            rows_for_browser(curve_table(study, ranking))
            keep = curve.at(macs=max(0.5, curve.floor))
            rows_for_browser(layers_table(curve, keep, study.constraints))


def look_at_measured(path: Path) -> None:
    """Points, runs of fine-tuning, the images that batch norms are recalibrated on, and the map that was learned."""
    study = Study.open(path)
    for_browser([point.to_dict() for point in study.points])
    assert "\n" not in calibration_words(path, study.info)
    rows_for_browser(runs_table(study.finetuned))
    for run in study.finetuned:
        rows_for_browser(training_table([epoch.to_dict() for epoch in run.curve]))
        command_again(run.provenance.command, path)
    assert "\n" not in left_out_line(study)
    for_browser([point.to_dict() for point in scaled_points(study)])
    for supernet in supernets(study):
        for_browser(supernet.to_dict())
        command_again(supernet.provenance.command, path)
    learned = study.learned
    if learned is not None:
        map_figure(map_table(learned)).to_json()
        rows_for_browser(search_table(learned))


def hand_on(path: Path) -> None:
    """The report on a network, without its charts, and the table of all that were measured."""
    study = Study.open(path)
    curve_of = cache(study.curve)
    rows_for_browser(networks_table(study, measurements_of(study, curve_of)))
    for run in (None, *(run.key for run in study.finetuned)):
        with said():
            network = network_of(study, Budget(macs=0.5), run=run, curve_of=curve_of)
            numbers = [headline(network), *map(str, figures(network))]
            assert not any(word in row for row in numbers for word in ("nan", "inf"))
            for_browser([known_lines(network), conditions(network), provenance(network)])
            gaps(network, is_compared=False)


def look_at_jobs(path: Path) -> None:
    """All jobs, each job, and what the page says of it."""
    study = Study.open(path)
    active_job_lines(study)
    for job in records.list_jobs(study):
        for_browser({"stage": job.stage, "done": job.done, "total": job.total, "result": job.result})
        ending_text(job)
        rows_for_browser(running_search_table(job.history) if job.kind == "learn" else training_table(job.history))
        with said():
            records.load(study, job.id)


def look_at_comparisons(path: Path) -> None:
    """Everything that was compared."""
    study = Study.open(path)
    for_browser([network.to_dict() for network in list_compared(study)])
    for file in sorted((path / "compared").glob("*-*.safetensors")):
        with said():
            comparison = load_comparison(study, file.stem)
            if comparison is not None:
                for_browser(comparison.counts())


def look_along(path: Path) -> None:
    """What networks along the slider predict."""
    study = Study.open(path)
    for ranking in study.rankings:
        with said():
            found = load_along(study, ranking)
            if found is not None:
                rows_for_browser(classes_along_table(found, study.info.classes))
                for_browser(along_data(found, study.info.classes))


def replay(path: Path) -> None:
    """A search from its journal, and the journal opened to go on."""
    study = Study.open(path)
    for file in sorted((path / "searches").glob("*.journal")):
        found = thin_out(frames(file))
        if len(found) >= 2:
            table = replay_table(study, found, 0.5)
            replay_figure(table, [layer.total for layer in study.structure.layers], table["best"].iloc[0]).to_json()
        with said():
            Journal(file)


def look_at_cuts(path: Path) -> None:
    """What was cut before the study began."""
    load_cuts(Study.open(path))


def rebuild_export(path: Path) -> None:
    """An export, as folder and as zip."""
    from legr.deploy.bundle import rebuild
    from legr.deploy.unpack import unpacked

    with unpacked(path) as recipe:
        rebuild(recipe)


def use_machine(path: Path) -> None:
    """What this machine remembers: registries, its configuration file, hashes of files, decoded images."""
    from legr.data.array_cache import read_arrays

    for name in ("data", "models"):
        for_browser(read_registry(name))
    fingerprint_files(path / "images", ["a.bin"])
    read_arrays(path / "arrays")
    list_studies(path)
    named_models()


def use_weights(path: Path) -> None:
    """The networks of a study: the original, and the one at half of its MACs with what is stored of it."""
    import torch

    from legr.commands.network import network_at
    from legr.commands.original import original
    from legr.commands.statistics_cache import recall_statistics
    from legr.errors import DataError

    def no_images() -> Any:
        raise DataError("the images are not here")

    study = Study.open(path)
    model = original(study)
    network = network_at(study, model, Budget(macs=0.5))
    recall_statistics(study, network, no_images, torch.device("cpu"))


@contextmanager
def said() -> Iterator[None]:
    """Let an error that the user is told end this step only."""
    with suppress(LegrError):
        yield
