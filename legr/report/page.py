"""The page: one HTML file with its styles, scripts and data, that a browser shows without asking any host.

Every text from elsewhere goes through `legr.escape`, and the policy in the head names the two scripts by their hashes:
whatever got past the first is not run by the second.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from urllib.parse import urlencode

import plotly.graph_objects as go

from legr import __version__
from legr.charts.comparison import MAX_CLASSES, classes_table
from legr.charts.measurements import percent_of
from legr.charts.style import CAPTIONS, COLOURS
from legr.errors import StudyError
from legr.escape import in_html
from legr.report.facts import Fact, conditions, provenance
from legr.report.figures import classes_chart, frontier_chart, layers_chart, layers_table
from legr.report.headline import headline
from legr.report.network import ShownNetwork
from legr.report.words import Figure, Gap, command, figures, gaps, known_lines
from legr.study.comparison import OUTCOMES, Comparison, comparison_name, load_comparison
from legr.study.title import study_title

EXPLORER = "http://localhost:8501/"
_CARDS = 4


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading, what stands below it, and a chart; an empty body and no chart leave the section out."""

    title: str
    body: str = ""
    chart: go.Figure | None = None
    alt: str = ""


def page_of(network: ShownNetwork, made: datetime, explorer: str = EXPLORER) -> str:
    """The report on a network as HTML; the same study and date give the same page.

    Args:
        made: noted at the foot of the page.
        explorer: address of the explorer that the link leads to.
    """
    comparison, damage = _comparison(network)
    sections = [
        _Section("Figures", _figures_table(figures(network))),
        *_charts(network, comparison),
        _Section("What is not known", _gaps(gaps(network, is_compared=comparison is not None), damage)),
        _Section("This network", _ways(network, explorer)),
        _Section("Conditions", _facts(conditions(network))),
        _Section("Provenance", _facts(provenance(network))),
    ]
    charts = [section.chart for section in sections if section.chart is not None]
    body = "\n".join(_section(section, charts) for section in sections if section.body or section.chart is not None)
    data = "\n".join(
        f'<script type="application/json" id="chart-{n}">{_data(c)}</script>' for n, c in enumerate(charts)
    )
    title, answer = in_html(_title(network)), in_html(headline(network))
    known = " ".join(map(in_html, known_lines(network)))
    warning = f'<p class="worse">{in_html(network.study.info.warning)}</p>' if network.study.info.warning else ""
    plotly, draw = _script("plotly", "package_data/plotly.min.js"), _script("legr.report", "page.js")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(plotly, draw)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{answer}: {title}</title>
<style>
{files("legr.report").joinpath("page.css").read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
<header>
<p class="of">{title}</p>
<h1>{_bound(answer)}</h1>
{warning}<p class="known">{known}</p>
{_cards(figures(network))}
</header>
<noscript><p>The charts need scripts; the figures do not.</p></noscript>
{body}
<footer>Made by LeGR explorer {__version__} on {made:%d %B %Y}. This page asks no host for anything.</footer>
</main>
{data}
<script>{plotly}</script>
<script>{draw}</script>
</body>
</html>
"""


def _title(network: ShownNetwork) -> str:
    info = network.study.info
    title = study_title(network.study.path.name, info.model, info.data_name)
    images = f", images of {network.height} px" if network.height else ""
    return f"{title}, {CAPTIONS[network.ranking].lower()} ranking{images}"


def _bound(text: str) -> str:
    """Numbers and their units on one line."""
    return text.replace(" %", "\u00a0%").replace(" ms", "\u00a0ms")


def _policy(*scripts: str) -> str:
    """What the page may do: run these scripts, and nothing that needs a network."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _script(package: str, path: str) -> str:
    """A script as it is read by a browser, which turns all line ends into one kind before it is hashed."""
    text = files(package).joinpath(path).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n").replace("</script", "<\\/script")


def _data(chart: go.Figure) -> str:
    """A chart as JSON that cannot end the element that it stands in."""
    return str(chart.to_json()).replace("<", "\\u003c")


# -- sections --------------------------------------------------------------------------------------------------


def _charts(network: ShownNetwork, comparison: Comparison | None) -> list[_Section]:
    bars, frontier = layers_table(network), frontier_chart(network)
    kept, total = int(bars["kept"].sum()), int(bars["total"].sum())
    colour = COLOURS["finetuned" if network.run else network.ranking]
    sections = [_Section("Accuracy against cost", chart=frontier, alt="Accuracy of the measured networks by MACs.")]
    if frontier is None:
        sections = [_Section("Accuracy against cost", "<p>No network of this study was measured yet.</p>")]
    if total:
        words = f"<p>{kept:,} of {total:,} filters stay in {len(bars):,} layers.</p>"
        alt = f"{kept} of {total} filters are kept in {len(bars)} layers."
        sections.append(_Section("Filters of each layer", words, layers_chart(bars, COLOURS[network.ranking]), alt))
    if comparison is not None:
        classes = network.study.info.classes
        chart = classes_chart(comparison, classes, colour)
        sections.append(_Section("Accuracy of each class", _outcomes(comparison, classes), chart, "Accuracy by class."))
    return sections


def _comparison(network: ShownNetwork) -> tuple[Comparison | None, str]:
    """The stored comparison of exactly this network; a sentence where it is damaged."""
    if network.is_whole:
        return None, ""
    try:
        return load_comparison(network.study, comparison_name(network.keep, network.run, network.height)), ""
    except StudyError as error:
        return None, str(error)


def _outcomes(comparison: Comparison, classes: Sequence[str]) -> str:
    counts = [f"{comparison.counts()[name]:,}" for name in OUTCOMES]
    n_classes = len(classes_table(comparison, classes))
    most = (
        f" The chart has the {MAX_CLASSES} of {n_classes:,} classes that change most."
        if n_classes > MAX_CLASSES
        else ""
    )
    return (
        f"<p>Of {len(comparison.labels):,} test images both networks get {counts[0]} right, only the original "
        f"{counts[1]}, only this network {counts[2]}, neither {counts[3]}.{most}</p>"
    )


def _section(section: _Section, charts: list[go.Figure]) -> str:
    chart = ""
    if section.chart is not None:
        number = next(n for n, other in enumerate(charts) if other is section.chart)
        chart = f'<div class="chart" role="img" aria-label="{in_html(section.alt)}" data-of="chart-{number}"></div>'
    return f"<section>\n<h2>{in_html(section.title)}</h2>\n{section.body}{chart}\n</section>"


def _cards(rows: Sequence[Figure]) -> str:
    """The figures that one looks for first: accuracy, latency, MACs and size."""
    by_name = {row.name: row for row in rows}
    accuracy = rows[0] if rows[0].value != "–" else by_name["Top-1 accuracy as cut"]
    latency, macs, size = (by_name[name] for name in ("Latency, ms", "MACs, million", "Weights in float32, MB"))
    shown = [
        (accuracy.value, accuracy, accuracy.name.removeprefix("Top-1 ").capitalize()),
        (latency.value if latency.value == "–" else f"{latency.value} ms", latency, "Latency"),
        (f"{macs.value} M", macs, "MACs"),
        (f"{size.value} MB", size, "Weights, float32"),
    ]
    assert len(shown) == _CARDS
    cards = (
        f'<div class="card"><span>{in_html(name)}</span><b>{in_html(value)}</b>'
        f'<span class="{_tone(row)}">{in_html("not measured" if value == "–" else row.difference)}</span></div>'
        for value, row, name in shown
    )
    return f'<div class="cards">{"".join(cards)}</div>'


def _figures_table(rows: Iterable[Figure]) -> str:
    lines = (
        f"<tr><th scope=row>{in_html(row.name)}</th><td>{in_html(row.value)}</td><td>{in_html(row.original)}</td>"
        f'<td class="{_tone(row)}">{in_html(row.difference)}</td></tr>'
        for row in rows
    )
    head = "".join(f"<th scope=col>{name}</th>" for name in ("", "This network", "Original", "Difference"))
    return f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>\n{chr(10).join(lines)}\n</tbody></table>'


def _tone(row: Figure) -> str:
    return "" if row.better is None else "better" if row.better else "worse"


def _gaps(found: Sequence[Gap], damage: str) -> str:
    items = [f"<li>{in_html(gap.sentence)}<pre><code>{in_html(gap.command)}</code></pre></li>" for gap in found]
    items += [f"<li>{in_html(damage)}.</li>"] if damage else []
    return f'<ul class="gaps">{"".join(items)}</ul>' if items else ""


def _ways(network: ShownNetwork, explorer: str) -> str:
    """How one gets the network: the command that makes it, and the link that opens it."""
    view = {
        "study": network.study.path.name,
        "budget": f"{percent_of(network.budget_fraction):g}",
        "ranking": network.ranking,
    }
    view |= {"run": network.run.key} if network.by_run and network.run else {}
    view |= {"size": str(network.height)} if network.height else {}
    view |= {"device": network.measured.device} if network.measured.device else {}
    made = command(network, "export", "--out", "exported")
    return (
        "<p>As ONNX and safetensors, checked in ONNX Runtime:</p>"
        f"<pre><code>{in_html(made)}</code></pre>"
        f'<p><a href="{in_html(f"{explorer}?{urlencode(view)}")}">Open it in the explorer</a>, '
        "where that runs (<code>python -m legr app</code>) and has this study.</p>"
    )


def _facts(facts: Iterable[Fact]) -> str:
    rows = (f"<tr><th scope=row>{in_html(name)}</th><td>{_fact(value)}</td></tr>" for name, value in facts)
    return f'<table class="facts"><tbody>\n{chr(10).join(rows)}\n</tbody></table>'


def _fact(value: str) -> str:
    text = in_html(value)
    return f"<code>{text}</code>" if value.startswith("python -m legr ") else text
