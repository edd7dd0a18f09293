// The accuracy-cost frontier: the measured networks, and marks for the network of the slider that follow a drag.

/** @import { DialCharts, DialState, DialTable, FrontierData, PlotlyAxis, PlotlyChart, PlotlyLibrary } from "./types" */
import { axesOf } from "./plotly.js";
import { shownNetwork } from "./shown.js";

/** @typedef {"before" | "after"} Top1 accuracy before or after fine-tuning */

export class FrontierChart {
  /**
   * @param {PlotlyChart} chart
   * @param {(percent: number, ranking: string, run: string) => void} onOpen called for a measured network that is clicked
   */
  constructor(chart, onOpen) {
    this.chart = chart;
    this.onOpen = onOpen;
    this.isListening = false;
    /** @type {((row: number) => number | null) | null} cost of a network, in the unit of the axis */
    this.costOf = null;
    /** @type {DialTable | null} */
    this.table = null;
    /** @type {{ xaxis: PlotlyAxis, yaxis: PlotlyAxis } | null} of Plotly's last drawing */
    this.axes = null;
    /** @type {{ [name in "line" | "gain" | Top1]?: SVGElement | null }} */
    this.marks = {};
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
    this.table = table;
    this.costOf = costReader(table, charts.axis);
    const marks = markTraces({ ...state, table, row }, charts, frontier, this.costOf);
    const { layout, config } = charts.style;
    await Plotly.react(this.chart, [...frontier.data, ...marks], { ...layout, ...frontier.layout }, config);
    this.locateMarks(frontier.data.length);
    this.move(shownNetwork(state).row);
    this.listen();
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
    if (this.marks.gain) this.marks.gain.style.opacity = "0.35";
  }

  /** Let a click on a measured network open it. */
  listen() {
    if (this.isListening) return;
    this.isListening = true;
    this.chart.on("plotly_click", ({ points: [point] }) => {
      if (!point.customdata) return;
      const [, percent, ranking, run] = point.customdata;
      if (ranking || run) this.onOpen(percent, ranking, run);
    });
  }

  /**
   * Move the marks to another network; nothing else of the chart depends on the budget.
   * @param {number} row
   */
  move(row) {
    const { table, costOf, axes, marks } = this;
    if (!table || !costOf || !axes) return;
    const { xaxis, yaxis } = axes;
    const cost = costOf(row);
    const isKnown = cost !== null;
    const x = isKnown ? xaxis.l2p(cost) : 0;
    const up = (/** @type {number} */ percent) => yaxis.l2p(percent);
    const [before, after] = [table.before[row], table.after[row]];
    const [low, high] = yaxis.range;
    place(marks.line, isKnown && { d: `M${x},${up(low)}L${x},${up(high)}` });
    const hasBoth = isKnown && before !== null && after !== null;
    place(marks.gain, hasBoth && { d: `M${x},${up(100 * before)}L${x},${up(100 * after)}` });
    place(marks.before, isKnown && before !== null && { transform: `translate(${x},${up(100 * before)})` });
    place(marks.after, isKnown && after !== null && { transform: `translate(${x},${up(100 * after)})` });
  }
}

/**
 * A function from a row of the table to the cost of its network, in the unit of the axis.
 * @param {DialTable} table
 * @param {string} axis
 * @returns {(row: number) => number | null}
 */
function costReader(table, axis) {
  if (axis === "latency") return (row) => table.latency[row];
  return axis === "macs" ? (row) => table.macs[row] / 1e6 : (row) => table.params[row] / 1e3;
}

/**
 * The marks of the slider's network: a line at its cost, another for the gain of fine-tuning, and its two accuracies.
 *
 * What is not known is drawn too, at the chart's corner, and hidden by `move`: it may be known at the next budget.
 * The network compared with has hollow marks of its own, which stay.
 * @param {DialState & { table: DialTable }} state
 * @param {DialCharts} charts
 * @param {FrontierData} frontier
 * @param {(row: number) => number | null} costOf
 */
function markTraces({ data, table, row, comparedRow }, charts, frontier, costOf) {
  const { xaxis, yaxis } = frontier.layout;
  const { colours } = charts.style;
  const x = costOf(row) ?? xaxis.range[0];
  const low = yaxis.range[0];
  const line = (/** @type {number[]} */ y, /** @type {object} */ style) => {
    return { x: [x, x], y, mode: "lines", line: style, showlegend: false, hoverinfo: "skip" };
  };
  const mark = (/** @type {Top1} */ name, /** @type {string} */ caption, /** @type {object} */ marker) => {
    const about = table[`${name}_measured`][row] ? "" : "about ";
    return {
      x: [x],
      y: [100 * (table[name][row] ?? low / 100)],
      mode: "markers",
      marker: { ...marker, line: { width: 3 } },
      hovertemplate: `<b>This budget</b><br>${about}%{y:.1f} %, ${caption}<extra></extra>`,
    };
  };
  const [own, tuned] = [colours[data.ranking], colours.finetuned];
  return [
    line(yaxis.range, { color: own, width: 1, dash: "dot" }),
    line([low, low], { color: tuned, width: 7 }),
    { ...mark("before", "not fine-tuned", { size: 17, symbol: "circle-open", color: own }), name: "This budget" },
    { ...mark("after", "fine-tuned", { size: 14, symbol: "diamond-open", color: tuned }), showlegend: false },
    ...heldTraces(table, comparedRow, charts, costOf),
  ];
}

/**
 * The accuracies of the network compared with; none where they or its cost are not known.
 * @param {DialTable} table
 * @param {number | null} row
 * @param {DialCharts} charts
 * @param {(row: number) => number | null} costOf
 */
function heldTraces(table, row, charts, costOf) {
  const cost = row === null ? null : costOf(row);
  if (row === null || cost === null) return [];
  const held = /** @type {Top1[]} */ (["before", "after"]).filter((name) => table[name][row] !== null);
  return held.map((name, n) => ({
    x: [cost],
    y: [100 * (table[name][row] ?? 0)],
    name: "Compared with",
    showlegend: n === 0,
    mode: "markers",
    marker: {
      symbol: name === "before" ? "circle-open" : "diamond-open",
      size: 10,
      color: charts.style.colours.original,
      line: { width: 2 },
    },
    hovertemplate: `<b>Compared with: ${table.percent[row]} %</b><br>%{y:.1f} %<extra></extra>`,
  }));
}

/**
 * Set attributes of a mark; false hides it.
 * @param {SVGElement | null | undefined} element
 * @param {{ [name: string]: string } | false} attributes
 */
function place(element, attributes) {
  if (!element) return;
  element.style.display = attributes ? "" : "none";
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
}
