"""Under which conditions a network was measured, and where it comes from: pairs of a name and a text. Not yet HTML."""

from collections.abc import Container
from pathlib import Path

from legr.charts.style import CAPTIONS
from legr.data.sizes import scaled_shape
from legr.progress import duration
from legr.report.network import ShownNetwork
from legr.report.numbers import milliseconds
from legr.requests.again import command_again
from legr.study.calibration_choice import calibration_words
from legr.study.provenance import Provenance
from legr.study.records import FineTuned, Learned, Point
from legr.study.supernets import SupernetRun, off_the_line, points_by_network
from legr.training.calibration import PLAIN, Calibration
from legr.words import plural

Fact = tuple[str, str]


def conditions(network: ShownNetwork) -> list[Fact]:
    """What accuracy and latency were measured on and with."""
    study, measured = network.study, network.measured
    info, point = study.info, _reported_point(network) or measured.original
    classes = f"{info.num_classes} of {len(info.all_classes)}" if info.all_classes else str(info.num_classes)
    facts = [
        ("Test images", f"{point.images:,}" if point else "nothing was measured yet"),
        ("Input", f"{'x'.join(map(str, scaled_shape(info.input_shape, network.height)))}, {classes} classes"),
    ]
    if point and point.ranking != "original":
        facts.append(("Batch norms", _norms(point)))
    facts.append(("Calibration", calibration_words(study.folder, info)))
    if timed := measured.conditions:
        facts += [
            ("Device", timed.machine or timed.device),
            ("Runtime", timed.runtime),
            ("Threads, batch", f"{plural(timed.threads, 'thread')}, batch {timed.batch}"),
        ]
        reported = _reported_point(network)
        latency = reported.latency if reported else None
        if latency and latency.quartiles and latency.conditions == timed:
            facts.append(("Middle half of the times", " to ".join(map(milliseconds, latency.quartiles)) + " ms"))
    if words := study.constraints.words:
        facts.append(("Constraints", words))
    return facts


def _reported_point(network: ShownNetwork) -> Point | None:
    """The point whose accuracy is reported: of its run, else as cut; None where it lies between two others."""
    tuned = network.known.finetuned if network.known else ()
    run = next((p for p in reversed(tuned) if network.run and p.finetuned and p.finetuned.key == network.run.key), None)
    return run or network.point


def _norms(point: Point) -> str:
    if not point.recalibrated:
        return "statistics that came with the weights"
    try:
        return f"recalibrated on {Calibration.of(point.calibration or PLAIN.key).words}"
    except ValueError:  # of a later version
        return "recalibrated"


def provenance(network: ShownNetwork) -> list[Fact]:
    """Where the network comes from: weights, images, ranking, kept set, training, with seeds and commands."""
    study, info = network.study, network.study.info
    kept, total = int(network.keep.units.sum()), study.structure.n_units
    ranking_id = study.ranking_id(network.ranking)
    facts = [
        ("Study", study.path.name),
        ("Model", info.model),
        ("Weights, SHA-256", info.weights_sha256 if info.weights_origin != "none" else "none: random weights"),
        ("Images", f"{info.data_name}, fingerprint {info.data_fingerprint}"),
        ("Proof", f"zeroed = removed, to a relative difference of {info.self_check:.0e}"),
        ("Ranking", f"{CAPTIONS[network.ranking].lower()}{f', id {ranking_id}' if ranking_id else ''}"),
        ("Kept set", f"{network.keep_id}: {kept:,} of {total:,} units"),
    ]
    if learned := study.map_of(network.ranking):
        facts += _learned(study.path, learned)
    if isinstance(network.run, SupernetRun):
        facts += _trained_together(study.path, network.run, info.input_shape[1])
    elif network.run:
        facts += _trained(study.path, network.run)
    if point := _reported_point(network):
        facts += _measured(study.path, point, told={line for _, line in facts})
    return facts


def _learned(study: Path, learned: Learned) -> list[Fact]:
    settings = learned.settings
    told = f"{settings.method}, {learned.passes_spent[-1]:g} passes, seed {settings.seed}"
    again = [("Learned again", f"while supernet {learned.supernet} was trained")] if learned.supernet else []
    return [("Learned", told), *_again("Learned by", study, learned.provenance), *again]


def _trained(study: Path, run: FineTuned) -> list[Fact]:
    seed = f", seed {run.settings.seed}" if run.settings else ""
    teacher = ", taught by the original" if run.settings and run.settings.distill else ""
    begun = f", begun with weights of the supernet {run.supernet}" if run.supernet else ""
    told = f"run {run.key}: {plural(run.epochs, 'epoch')}{begun}{teacher}{seed}, {duration(run.seconds)}"
    where = f" on {run.provenance.machine}" if run.provenance.machine else ""
    return [("Fine-tuned", f"{told}{where}"), *_again("Fine-tuned by", study, run.provenance)]


def _trained_together(study: Path, run: SupernetRun, side: int) -> list[Fact]:
    seed = f", seed {run.settings.seed}" if run.settings else ""
    smallest = f"every budget from {100 * run.smallest:.0f} % up"
    told = f"supernet {run.key}: {plural(run.epochs, 'epoch')} for {smallest}{seed}, {duration(run.seconds)}"
    where = f" on {run.provenance.machine}" if run.provenance.machine else ""
    off = off_the_line(points_by_network(run, side).values(), run.between)
    between = f"; {off.words}" if off else ""
    return [("Trained together", f"{told}{where}{between}"), *_again("Trained by", study, run.provenance)]


def _measured(study: Path, point: Point, told: Container[str]) -> list[Fact]:
    made = point.provenance
    parts = [point.created[:10], made.machine, f"PyTorch {made.torch}" if made.torch else ""]
    where = ", ".join(part for part in parts if part)
    by = [fact for fact in _again("Measured by", study, made) if fact[1] not in told]  # a run measures its own network
    return [*([("Measured", where)] if where else []), *by]


def _again(name: str, study: Path, made: Provenance) -> list[Fact]:
    """The stored command, written anew: a study may come from anyone."""
    line = command_again(made.command, Path(study.name))
    return [(name, line)] if line else []
