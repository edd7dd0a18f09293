"""What a report says below its headline: figures, and what is known and not known. Plain text, not yet HTML."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass

from legr.arguments import option_of
from legr.charts.measurements import Measurements, Reading, percent_of
from legr.charts.style import CAPTIONS
from legr.ranking.limits import PROFILE
from legr.report.network import ShownNetwork
from legr.report.numbers import about, milliseconds, percent, points_between, signed
from legr.structure.cost import uncounted_note
from legr.study.records import FineTuned
from legr.study.supernets import SupernetRun
from legr.words import plural, unsteady_words

TOGETHER = "trained together"
_BYTES = 4  # of a parameter, in float32
#: Larger is better of these; of all other figures less is.
_GAINS = ("Top-1 accuracy", "Images a second")


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table of figures; "–" where something is not known.

    Attributes:
        difference: signed; "" where one of the two is not known, or there is none.
        better: None: neither better nor worse.
    """

    name: str
    value: str
    original: str
    difference: str = ""
    better: bool | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is not known of the network, and the command that would find it out."""

    sentence: str
    command: str


def figures(network: ShownNetwork) -> list[Figure]:
    """Every figure of the network beside that of the original, with the difference."""
    cost, original, top1, ms = network.cost, network.original_cost, network.original_top1, network.original_ms
    latency = network.latency
    own_ms = latency.value if latency else None
    rate, own_rate = (1e3 * _batch(network) / t if t else None for t in (ms, own_ms))
    rows = [
        _accuracy_row(f"Top-1 accuracy, {_training(network)}", network.trained, top1),
        *_before(network),
        _accuracy_row("Top-1 accuracy as cut", network.as_cut, top1),
        _row("Latency, ms", own_ms, ms, milliseconds, about(latency)),
        _row("Images a second", own_rate, rate, _count, about(latency)),
        _row("MACs, million", cost.macs / 1e6, original.macs / 1e6, _amount),
        _row("Parameters, thousand", cost.params / 1e3, original.params / 1e3, _amount),
        _row("Weights in float32, MB", _BYTES * cost.params / 1e6, _BYTES * original.params / 1e6, _amount),
    ]
    if original.activation and network.height is None:
        rows.append(_row("Activation memory, MB", cost.activation / 1e6, original.activation / 1e6, _amount))
    return rows


def _before(network: ShownNetwork) -> list[Figure]:
    """Of a network whose fine-tuning began with weights trained together: its accuracy with these."""
    run = network.run
    if not isinstance(run, FineTuned) or not run.supernet or network.height:
        return []
    name = f"Top-1 accuracy, {TOGETHER}, before fine-tuning"
    return [_accuracy_row(name, Reading(run.top1_before, True), network.original_top1)]


def _training(network: ShownNetwork) -> str:
    """How the network was trained, or would be."""
    together = network.trained.together if network.trained else isinstance(network.run, SupernetRun)
    return TOGETHER if together else "fine-tuned"


def _accuracy_row(name: str, own: Reading | None, original: float | None) -> Figure:
    value = f"{about(own)}{percent(own.value)}" if own else "–"
    known = "–" if original is None else percent(original)
    if own is None or original is None:
        return Figure(name, value, known)
    points = points_between(own.value, original)
    return Figure(name, value, known, f"{signed(points, 1)} points", _is_better(name, points))


def _row(
    name: str, own: float | None, original: float | None, show: Callable[[float], str], before: str = ""
) -> Figure:
    value, known = ("–" if number is None else show(number) for number in (own, original))
    if own is None or not original:
        return Figure(name, value if own is None else before + value, known)
    change = 100 * (own / original - 1)
    return Figure(name, before + value, known, f"{signed(change, 1)} %", _is_better(name, change))


def _is_better(name: str, change: float) -> bool | None:
    if abs(change) < 0.05:  # which shows as 0
        return None
    return (change > 0) == name.startswith(_GAINS)


def known_lines(network: ShownNetwork) -> list[str]:
    """What the figures are of, a sentence each."""
    original, run, conditions = network.measured.original, network.run, network.measured.conditions
    images = network.point.images if network.point else original.images if original else 0
    lines = []
    if network.height:
        own = network.measured.height
        lines.append(f"Its images are scaled to a height of {network.height} pixels; the original's have {own}.")
    if network.top1 and images:
        state = "of the whole network" if network.is_whole else "as cut"
        if network.trained:
            how = {"fine-tuned": "after fine-tuning", TOGETHER: f"when {TOGETHER} with all budgets"}[_training(network)]
            state = f"{how} for {plural(run.epochs, 'epoch')}" if run else how
        between = "" if network.top1.measured else " (~: of this network it is read between two that were measured)"
        lines.append(f"Top-1 accuracy {state}, on {plural(images, 'test image')} that nothing was chosen by{between}.")
    if network.latency and conditions:
        between = "" if network.latency.measured else " (~: read between two networks that were timed)"
        lines.append(f"Latency of one forward pass: {conditions}{between}.")
    lines.append("Work is multiply-adds (MACs) of one forward pass, counted.")
    note = uncounted_note(network.study.structure.uncounted)
    return [*lines, note] if note else lines


def gaps(network: ShownNetwork, *, is_compared: bool) -> list[Gap]:
    """What is not known of the network, and the commands that find it out."""
    ranking = CAPTIONS[network.ranking].lower()
    found = []
    if network.height:
        return _gaps_of_images(network, is_compared=is_compared)
    if _training(network) == TOGETHER and not (network.trained and network.trained.measured):
        read = "is read between two measured networks" if network.trained else "was not measured"
        found.append(Gap(f"Its accuracy when {TOGETHER} with all budgets {read}.", command(network, "evaluate")))
    elif not (network.is_whole or (network.trained and network.trained.measured)):
        read = " Its accuracy (~) is read between two fine-tuned networks of this ranking." if network.trained else ""
        found.append(Gap(f"It was not fine-tuned.{read}", command(network, "finetune")))
    as_cut = network.as_cut
    unsure = network.latency is None or not network.latency.measured or as_cut is None or not as_cut.measured
    if unsure and not network.by_run:
        values = [value for value in (as_cut, network.latency) if value and not value.measured]
        read = f"; what has a ~ is read between two measured networks of the {ranking} ranking" if values else ""
        found.append(Gap(f"It was not measured as cut and timed{read}.", command(network, "measure")))
    if network.latency and (doubt := _doubt(network.measured)):
        found.append(Gap(doubt, command(network, "measure", "--again")))
    if not (is_compared or network.is_whole):
        found.append(Gap("Its predictions were not compared with the original's.", command(network, "compare")))
    return found


def _gaps_of_images(network: ShownNetwork, *, is_compared: bool) -> list[Gap]:
    """The same of a network with images of another height than the study's."""
    found = []
    if not (network.trained and network.trained.measured):
        read = " (~: read between two that were)" if network.trained else ""
        found.append(Gap(f"Its accuracy with such images was not measured{read}.", command(network, "evaluate")))
    if not (network.latency and network.latency.measured):
        read = " (~: read between two that were)" if network.latency else ""
        found.append(Gap(f"It was not timed with such images{read}.", command(network, "measure")))
    if network.latency and network.doubtful:
        doubt = "Other programs used the cores while networks were timed, or times varied: the latencies may be off."
        found.append(Gap(doubt, command(network, "measure", "--again")))
    if not is_compared:
        found.append(Gap("Its predictions were not compared with the original's.", command(network, "compare")))
    return found


def _doubt(measured: Measurements) -> str:
    """Why the latencies are not certain, in a sentence; "" where they are."""
    if measured.contended:
        return "Other programs used the cores while it was timed, so the latencies are too long."
    return f"{unsteady_words(measured.unsteady).capitalize()}." if measured.unsteady else ""


def command(network: ShownNetwork, name: str, *extra: str) -> str:
    """A command for this very network, as a line for a shell; it names the study by its folder."""
    words = ["python", "-m", "legr", name, "--study", network.study.path.name]
    if name == "measure":
        budgets = [] if extra else ["--budgets", f"{percent_of(network.budget_fraction) / 100:.6g}"]
        sizes = ["--sizes", str(network.height)] if network.height else []  # also where they are timed again
        return shlex.join([*words, *budgets, *sizes, *extra])
    for limit, value in network.budget.limits():
        words += [option_of(limit), f"{value:.12g}"]
    if network.budget.device_profile:
        words += [option_of(PROFILE), network.budget.device_profile]
    if network.by_run and network.run and name in ("export", "compare"):
        return shlex.join([*words, "--run", network.run.key, *extra])
    if network.ranking != network.study.default_ranking:
        words += ["--ranking", network.ranking]
    if network.height and name in ("evaluate", "export", "compare"):
        words += ["--size", str(network.height)]
    return shlex.join([*words, *extra])


def _amount(value: float) -> str:
    digits = 0 if value >= 1000 else 1 if value >= 100 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _batch(network: ShownNetwork) -> int:
    return network.measured.conditions.batch if network.measured.conditions else 1
