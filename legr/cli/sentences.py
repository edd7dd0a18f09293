"""What each command says to a person who does not ask for `--json`."""

from collections.abc import Iterable, Sequence

from legr.commands.job_results import CancelledJob, JobRows
from legr.commands.prediction_results import ComparisonResult
from legr.commands.questions import LookResult, Prediction
from legr.commands.results import (
    Evaluation,
    ExportResult,
    FinetuneResult,
    Inspection,
    LocatedImages,
    Measurement,
    NetworkSummary,
    NewStudy,
    Reach,
    SupernetResult,
    TogetherResult,
    TrainResult,
)
from legr.escape import in_line
from legr.progress import duration
from legr.ranking.limits import METRIC_NAMES
from legr.search.types import LearnResult
from legr.structure.cost import uncounted_note
from legr.structure.types import Uncounted
from legr.structure.unprunable import Reason, merge_reasons, unreached_note
from legr.study.device_profile import DeviceProfile
from legr.study.latency import Latency
from legr.study.supernets import off_the_line
from legr.training.calibration import Calibration
from legr.words import plural, second_training_words, unsteady_words

_ROWS, _NAMES = 20, 2  # reasons in a table; names in a line


def inspection(result: Inspection) -> str:
    inputs = " and ".join("x".join(map(str, shape)) for shape in result.inputs)
    floor = result.floor
    facts = [
        f"{result.model} on {inputs}: {result.units} units in {result.layers} layers and {result.groups} "
        f"groups; {result.macs / 1e6:.1f} M MACs, {result.params / 1e6:.3f} M parameters, "
        f"{result.activation_bytes / 2**20:.1f} MiB of activations",
        f"{100 * result.prunable_macs:.1f} % of the MACs can be pruned, down to {100 * floor['macs']:.1f} % of MACs "
        f"and {100 * floor['params']:.1f} % of parameters; traced in {result.trace_seconds:.1f} s, "
        f"zeroed = removed to {result.self_check:.0e}",
    ]
    return _lines([*facts, *_notes(result), *_unprunable(result)])


def _lines(lines: Iterable[str]) -> str:
    """Lines below each other; none is broken by a text from elsewhere."""
    return "\n".join(map(in_line, lines))


def _uncounted(operations: Sequence[Uncounted]) -> list[str]:
    return [note] if (note := uncounted_note(operations)) else []


def _notes(result: Inspection | NewStudy | NetworkSummary) -> list[str]:
    """What must be known beside the numbers."""
    return [note for note in (uncounted_note(result.uncounted), unreached_note(result.unprunable)) if note]


def _unprunable(result: Inspection) -> list[str]:
    rows = merge_reasons(result.unprunable, result.coupled)
    lines = ["", "channels  unprunable because"] if rows else []
    lines += [line for row in rows[:_ROWS] for line in _reason(row)]
    if len(rows) > _ROWS:
        lines.append(f"{'':10}{len(rows) - _ROWS} further reasons: --json lists all")
    for names, sentence in (
        (result.untouched, "parameters are never read"),
        (result.exempt, "norms run over channels"),
    ):
        if names:
            lines.append(f"{len(names):8d}  {sentence}: {_first(names)}")
    return lines


def _reason(row: Reason) -> list[str]:
    modules = ", ".join(name or "the model" for name in row.modules[:_NAMES])
    more = f" and {len(row.modules) - _NAMES} more" if len(row.modules) > _NAMES else ""
    together = " (leave together)" if row.kind == "coupled" else ""
    return [f"{row.channels:8d}  {row.operation}: {row.reason}{together}", f"{'':10}in {modules}{more}"]


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES]) + (", …" if len(names) > _NAMES else "")


def new_study(result: NewStudy) -> str:
    facts = (
        f"{result.study}: {result.units} removable units in {result.layers} layers, "
        f"{result.macs / 1e6:.1f} M MACs, floor {100 * result.floor:.1f} %; "
        f"zeroed = removed to {result.self_check:.0e}"
    )
    score = result.heldout
    accuracy = [f"the original gets {100 * score.top1:.1f} % of {score.images} held-out images right"] if score else []
    notes = [result.warning] if result.warning else accuracy
    rounded = f"channels are rounded to multiples of {result.multiple}, which devices like; `shape` changes that"
    rounding = [rounded] if result.multiple > 1 else []
    return _lines([facts, *_notes(result), *notes, *rounding, *_norms(result.calibration_words)])


def located_images(result: LocatedImages) -> str:
    return "the images are found"


def network(result: NetworkSummary) -> str:
    head = (
        f"{result.ranking} ranking, {100 * result.macs_fraction:.2f} % of the MACs "
        f"({result.macs / 1e6:.2f} M), {result.params / 1e6:.3f} M parameters"
    )
    if result.original_activation:
        head += f", {result.activation / 1e6:.3f} MB of activations"
    if result.latency_ms is not None:
        head += f", {result.latency_ms:.4g} of {result.original_latency_ms:.4g} ms predicted on {result.device_profile}"
    layers = (f"{layer.kept:6d} of {layer.total:<6d} {layer.name}" for layer in result.layers)
    return _lines([head, *_notes(result), *_norms(result.calibration_words), *layers])


def reach(result: Reach) -> str:
    floors = ", ".join(f"{100 * floor:.2f} % of the {METRIC_NAMES[name]}" for name, floor in result.floors.items())
    least = "" if result.least.latency_ms is None else f" ({result.least.latency_ms:.4g} ms)"
    facts = (
        f"{result.words or 'no shape is asked for'}",
        f"within reach on the {result.ranking} ranking, in {result.steps} steps: {floors}{least}",
    )
    return _lines([*facts, *_uncounted(result.uncounted)])


def evaluation(result: Evaluation) -> str:
    recalibrated = recalibrated_words(result.recalibrated, result.calibration)
    trained = "finetuned" if result.finetuned else "trained together with all budgets" if result.supernet else ""
    notes = [note for note in (recalibrated, trained) if note]
    loss = "no loss, as an output is NaN or infinite" if result.loss is None else f"loss {result.loss:.4f}"
    return (
        f"{100 * result.top1:.2f} % top-1 on {result.images} test images"
        f"{' (' + ', '.join(notes) + ')' if notes else ''}, {loss}"
    )


def _norms(words: str) -> list[str]:
    return [f"batch norms are recalibrated on {words}"] if words else []


def _where_better(calibration: str) -> str:
    """Of several networks."""
    words = Calibration.of(calibration).words if calibration else ""
    return f"; batch norms are recalibrated on {words} where that is better on held-out images" if words else ""


def _norms_of(result: ExportResult | ComparisonResult) -> str:
    words = recalibrated_words(result.recalibrated, result.calibration)
    return f"; batch norms {words}" if words and result.calibration else ""


def recalibrated_words(recalibrated: bool, calibration: str) -> str:
    """With what the batch norms of a network were recalibrated; "" where they have the statistics of its weights.

    Args:
        calibration: its key; "" is not known.
    """
    on = f" on {Calibration.of(calibration).words}" if calibration else ""
    return f"recalibrated{on}" if recalibrated else ""


def measurement(result: Measurement) -> str:
    doubts = []
    if result.contended:
        doubts.append("other programs were at work meanwhile, so latencies are too long")
    if result.unsteady:
        doubts.append(unsteady_words(result.unsteady))
    doubt = f"; {'; '.join(doubts)}: `measure --again` when it is quiet" if doubts else ""
    return (
        f"{result.measured} points measured, {result.skipped} were there already{doubt}"
        f"{_where_better(result.calibration)}"
    )


def profiling(result: DeviceProfile) -> str:
    median, high = result.errors
    plain = next((m.milliseconds for m in result.multiples if m.multiple == 1), 0.0)
    chosen = next((m.milliseconds for m in result.multiples if m.multiple == result.multiple), plain)
    gain = f"; multiples of {result.multiple} are worth having: {chosen:.3g} ms for {plain:.3g} ms at half the MACs"
    contended = "; other programs were at work meanwhile: `profile --again` when it is quiet"
    return (
        f"{result.name}: {len(result.times)} kinds of layers in {duration(result.seconds)}, on {result.conditions}; "
        f"whole networks are predicted to {100 * median:.1f} % (median) and {100 * high:.1f} % (95th percentile)"
        f"{gain if result.multiple > 1 else ''}{contended if result.contended else ''}"
    )


def learning(result: LearnResult) -> str:
    return (
        f"{result.candidates} candidates, {result.passes:g} passes, {duration(result.seconds)}: "
        f"loss {result.best_loss:.4f}, identity {result.identity_loss:.4f}"
    )


def training(result: TrainResult, file: str) -> str:
    return (
        f"{file}: {100 * result.top1:.2f} % top-1 on the test images, {100 * result.heldout_top1:.2f} % on held-out "
        f"ones (epoch {result.best_epoch} of {result.settings.epochs}, {duration(result.provenance.seconds or 0)})"
    )


def together(result: TogetherResult, file: str) -> str:
    alike = f", {result.similarities[-1]:.3f} alike" if result.similarities else ""
    found = f"structures were found after {plural(result.structures_at, 'epoch')}{alike}"
    return f"{file}: {100 * result.top1:.2f} % top-1 on the test images; {found}; {supernet(result.supernet)}"


def finetuning(result: FinetuneResult) -> str:
    begun = ", from weights trained together," if result.supernet else ""
    return (
        f"{100 * result.top1_before:.2f} % -> {100 * result.top1:.2f} % top-1{begun} "
        f"after {plural(result.epochs, 'epoch')} ({duration(result.seconds)}){_timed(result.latency)}"
        f"{_where_better(result.calibration)}{_of_original(result)}"
    )


def _of_original(result: FinetuneResult) -> str:
    """What the same training does for the original, where that is known and is not what the result is about."""
    before, after = result.original_top1, result.original_trained
    if before is None or after is None or result.macs_fraction == 1:
        return ""
    return f"; the original itself {second_training_words(before, after)}"


def supernet(result: SupernetResult) -> str:
    own = [point for point in result.points if point.side == result.points[0].side]
    some = own[0], min(own, key=lambda point: abs(point.macs_fraction - 0.5)), own[-1]
    figures = ", ".join(
        f"{100 * p.top1:.2f} % at {100 * p.macs_fraction:.0f} % of the MACs" for p in dict.fromkeys(some)
    )
    off = off_the_line(own, result.between)
    return (
        f"{plural(result.epochs, 'epoch')} for all budgets together ({duration(result.seconds)}): {figures}"
        f"{f'; {off.words}' if off else ''}; batch norms are recalibrated on {Calibration.of(result.calibration).words}"
    )


def _timed(latency: Latency | None) -> str:
    if latency is None:
        return ""
    return f", {latency.milliseconds:.3g} ms{_doubts(latency)} ({in_line(str(latency.conditions))})"


def _doubts(latency: Latency) -> str:
    return "".join([", contended" * latency.contended, ", unsteady" * latency.unsteady])


def export(result: ExportResult) -> str:
    known = f"{result.accuracy.words} " if result.accuracy else ""
    return (
        f"{result.zip} (opset {result.opset}, batch {result.batch}): {known}Same answer as PyTorch on "
        f"{100 * result.top1_agreement:.2f} % of {result.images} inputs, "
        f"largest difference {result.max_abs_diff:.1e}{_norms_of(result)}"
    )


def comparison(result: ComparisonResult) -> str:
    return (
        f"of {result.images} test images both get {result.both} right, only the original {result.only_original}, "
        f"only the pruned network {result.only_pruned}, neither {result.neither}{_norms_of(result)}"
    )


def look(result: LookResult) -> str:
    sides = (("original", result.original), ("pruned", result.pruned))
    return _lines(f"{side:<9}{_classes(predictions)}" for side, predictions in sides)


def _classes(predictions: Sequence[Prediction]) -> str:
    return ", ".join(f"{prediction.name} {100 * prediction.probability:.1f} %" for prediction in predictions)


def job_rows(result: JobRows) -> str:
    rows = (f"{r.state:<12} {r.study:<24} {r.id}  {r.stage} {r.done} of {r.total}" for r in result.jobs)
    return _lines(rows) or "no jobs"


def cancelled_job(result: CancelledJob) -> str:
    return f"{result.id} is {result.state}"


def report(file: str, headline: str) -> str:
    return _lines([f"{file}: {headline}"])


def points(file: str, rows: int) -> str:
    return _lines([f"{file}: {plural(rows, 'row')}, one a network and condition"])
