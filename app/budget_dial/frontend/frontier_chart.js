// The accuracy-cost frontier: the measured networks, and marks for the network of the slider that follow a drag.

/** @import { DialCharts, DialState, DialTable, FrontierData, FrontierLine, FrontierOptions, Place, PlotlyAxis, PlotlyChart, PlotlyLibrary } from "./types" */
import { labelTrace, labelledPoint, placeLabels } from "./frontier_labels.js";
import { frontierLayout, plotSize, shownRanges, slowParts } from "./frontier_layout.js";
import { heldTraces, markTraces, markWords, placeMark, tableCost } from "./frontier_marks.js";
import { bandTrace, costOf, heightOf, paretoPoints, pointsOf, shownLines } from "./frontier_points.js";
import { axesOf } from "./plotly.js";
import { lossBand } from "./losses.js";
import { shownNetwork } from "./shown.js";

/** @typedef {"before" | "after"} Top1 accuracy before or after fine-tuning */

export class FrontierChart {
  /**
   * @param {PlotlyChart} chart
   * @param {FrontierOptions} options
   */
  constructor(chart, options) {
    this.chart = chart;
    this.options = options;
    /** @type {{ table: DialTable, frontier: FrontierData, lines: FrontierLine[] } | null} what is drawn */
    this.drawn = null;
    /** @type {{ xaxis: PlotlyAxis, yaxis: PlotlyAxis } | null} of Plotly's last drawing */
    this.axes = null;
    /** @type {{ [name in "line" | "gain" | Top1]?: SVGElement | null }} */
    this.marks = {};
    /** the row of the slider's network, and of the one compared with @type {[number, number | null]} */
    this.rows = [0, null];
    /** the parts that gain no time, on the axis that is shown @type {ReturnType<typeof slowParts>} */
    this.slow = [];
  }

  /**
   * Draw the chart.
   * @param {PlotlyLibrary} Plotly
   * @param {DialState} state
   * @param {DialCharts} charts
   * @param {FrontierData} frontier
   */
  async draw(Plotly, state, charts, frontier) {
    const { table, row } = shownNetwork(state);
    const { options } = this;
    const lines = shownLines(frontier, state.data.ranking, options.others);
    this.drawn = { table, frontier, lines };
    this.rows = [row, state.comparedRow];
    const { clientWidth: width } = this.chart;
    const { height } = charts.style.layout;
    const best = lines.map((line) => labelledPoint(frontier, line, options)).filter((point) => point !== null);
    const accuracies = best.map((point) => frontier.points.top1[point]);
    const ranges = shownRanges(frontier, options, state.data.table, accuracies, height);
    const labelled = placeLabels(frontier, lines, options, ranges, plotSize(width, height));
    const band = lossBand(state.data.table, state.data.original, state.answer);
    this.slow = slowParts(state, ranges, options.axis);
    const { colours } = charts.style;
    const { ranking, table: all } = state.data;
    const bands = lines.flatMap((line) => bandTrace(frontier, line, all, ranking, colours, options) ?? []);
    const traces = [...bands, ...lines.map((line) => lineTrace(frontier, line, options)), this.paretoTrace(charts)];
    const marks = markTraces(table, row, colours[ranking], ranges, options);
    const held = heldTraces(table, state.comparedRow, colours.original, options);
    const labels = labelTrace(frontier, labelled, options, ranges, band);
    const layout = { ...charts.style.layout, ...frontierLayout(frontier, options, ranges, this.slow, band, width) };
    await Plotly.react(this.chart, [...traces, ...marks, ...held, labels], layout, charts.style.config);
    this.locateMarks(traces.length);
    this.move(shownNetwork(state).row);
  }

  /**
   * Steps along the networks that no other beats.
   * @param {DialCharts} charts
   */
  paretoTrace(charts) {
    const { frontier, lines } = /** @type {NonNullable<FrontierChart["drawn"]>} */ (this.drawn);
    const { axis, error } = this.options;
    const best = paretoPoints(frontier, pointsOf(lines), axis);
    return {
      x: best.map((point) => costOf(frontier, point, axis)),
      y: best.map((point) => heightOf(frontier.points.top1[point], error)),
      name: "Pareto",
      uid: "pareto",
      mode: "lines",
      hoverinfo: "skip",
      line: { color: charts.style.colours.original, width: 1, shape: "hv", dash: "dot" },
    };
  }

  /**
   * Find the marks in Plotly's drawing.
   * @param {number} first number of the first mark's trace
   */
  locateMarks(first) {
    const { chart } = this;
    const find = (/** @type {number} */ trace, /** @type {string} */ selector) =>
      /** @type {SVGElement | null} */ (
        chart.querySelector(`.trace${chart.calcdata[first + trace][0].trace.uid} ${selector}`)
      );
    this.axes = axesOf(chart);
    this.marks = {
      line: find(0, "path.js-line"),
      gain: find(1, "path.js-line"),
      before: find(2, "path.point"),
      after: find(3, "path.point"),
    };
  }

  /**
   * Move the marks to another network; nothing else of the chart depends on the budget.
   * @param {number} row
   */
  move(row) {
    const { drawn, axes, marks, options } = this;
    this.rows[0] = row;
    if (!drawn || !axes) return;
    const { table } = drawn;
    const cost = tableCost(table, row, options.axis);
    const isKnown = cost !== null;
    const x = isKnown ? axes.xaxis.c2p(cost) : 0;
    const up = (/** @type {number} */ top1) => axes.yaxis.c2p(heightOf(100 * top1, options.error));
    const [before, after] = [table.before[row], table.after[row]];
    const height = axes.yaxis._length;
    placeMark(marks.line, isKnown && { d: `M${x},${height}L${x},0` });
    const hasBoth = isKnown && before !== null && after !== null;
    placeMark(marks.gain, hasBoth && { d: `M${x},${up(before)}L${x},${up(after)}` });
    placeMark(marks.before, isKnown && before !== null && { transform: `translate(${x},${up(before)})` });
    placeMark(marks.after, isKnown && after !== null && { transform: `translate(${x},${up(after)})` });
  }

  /**
   * Where everything is that the pointer can meet, in pixels from the chart's upper left corner.
   * @returns {Place[]}
   */
  places() {
    const { drawn, axes, options } = this;
    if (!drawn || !axes) return [];
    const { xaxis, yaxis } = axes;
    const { frontier, lines, table } = drawn;
    /** @type {Place[]} */
    const places = [];
    const add = (/** @type {number | null} */ cost, /** @type {number} */ percent, /** @type {object} */ facts) => {
      if (cost === null) return;
      const [x, y] = [xaxis.c2p(cost), yaxis.c2p(heightOf(percent, options.error))];
      const isInside = x >= 0 && x <= xaxis._length && y >= 0 && y <= yaxis._length;
      if (!isInside) return;
      places.push({ told: "", network: null, ...facts, x: x + xaxis._offset, y: y + yaxis._offset });
    };
    const { network, top1, told } = frontier.points;
    for (const row of pointsOf(lines)) {
      add(costOf(frontier, row, options.axis), top1[row], { told: told[row], network: network[row] });
    }
    /** @type {[number | null, string][]} */
    const marked = [
      [this.rows[0], "This budget"],
      [this.rows[1], "Compared with"],
    ];
    for (const [row, name] of marked) {
      if (row === null) continue;
      const cost = tableCost(table, row, options.axis);
      for (const [top1, told] of markWords(table, row, name)) add(cost, 100 * top1, { told });
    }
    return places;
  }
}

/**
 * A line of the frontier as Plotly draws it.
 * @param {FrontierData} frontier
 * @param {FrontierLine} line
 * @param {FrontierOptions} options
 */
function lineTrace(frontier, line, options) {
  const { axis, error } = options;
  return {
    x: line.rows.map((row) => costOf(frontier, row, axis)),
    y: line.rows.map((row) => heightOf(frontier.points.top1[row], error)),
    name: line.name,
    uid: `line${frontier.lines.indexOf(line)}`, // so that Plotly knows it again when others come and go
    hoverinfo: "skip",
    connectgaps: true,
    ...line.look,
  };
}
