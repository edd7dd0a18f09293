// The bars of every layer. Plotly draws the chart; during a drag only its bars are moved, in Plotly's own drawing.

/** @import { BarLens, DialCharts, DialState, DialTable, Lens, PlotlyAxis, PlotlyChart, PlotlyLibrary } from "./types" */
import { clamp } from "./dom.js";
import { BAR_LENSES, layerLines } from "./lenses.js";
import { axesOf } from "./plotly.js";
import { shownNetwork } from "./shown.js";
import { stageAxis } from "./stages.js";
import { escapeTags } from "./text.js";

const REPEAT_MS = 300; // of a key that is held
const BARS_PART = 0.9; // of the chart's width; the rest is the axis beside them

/** Kept and removed filters of every layer, or their costs. */
export class LayerBars {
  /**
   * @param {PlotlyChart} chart
   * @param {(layer: string) => void} onChoose a layer was chosen; "": none
   */
  constructor(chart, onChoose) {
    this.chart = chart;
    this.onChoose = onChoose;
    this.chosen = -1; // the layer whose card is open
    this.stepped = 0; // when an arrow key chose it, milliseconds
    /** @type {DialTable | null} */
    this.table = null;
    this.lens = BAR_LENSES.filters;
    /**
     * The kept and the removed bar of each layer, and its left and right side in pixels.
     * @type {{ kept: Element, removed: Element, left: number, right: number }[]}
     */
    this.bars = [];
    /** @type {PlotlyAxis | null} */
    this.yaxis = null;
    this.listen();
  }

  /** A click in a layer's column, or the arrow keys, choose a layer. */
  listen() {
    const { chart } = this;
    chart.addEventListener("click", ({ clientX }) => {
      const { layers } = this.table ?? { layers: [] };
      if (!layers.length || !chart._fullLayout) return;
      const { xaxis } = axesOf(chart);
      const x = clientX - chart.getBoundingClientRect().left - xaxis._offset;
      const place = Math.floor((x / xaxis._length) * layers.length);
      if (layers[place]) this.onChoose(place === this.chosen ? "" : layers[place]);
    });
    chart.tabIndex = 0;
    chart.addEventListener("keydown", (event) => {
      const { layers } = this.table ?? { layers: [] };
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape" && this.chosen >= 0) this.onChoose("");
      if (!step || !layers.length) return;
      event.preventDefault();
      if (event.repeat && event.timeStamp - this.stepped < REPEAT_MS) return; // each card is asked of the server
      this.stepped = event.timeStamp;
      const from = this.chosen < 0 ? (step > 0 ? -1 : layers.length) : this.chosen;
      this.onChoose(layers[clamp(0, from + step, layers.length - 1)]);
    });
  }

  /**
   * Draw the chart.
   * @param {PlotlyLibrary} Plotly
   * @param {DialState} state
   * @param {DialCharts} charts
   * @param {Lens} name of the lens
   */
  async draw(Plotly, state, charts, name) {
    const { table, row } = shownNetwork(state);
    const { colours, config, layout } = charts.style;
    const lens = (this.lens = BAR_LENSES[name === "together" ? "filters" : name]);
    this.table = table;
    const kept = table.layers.map((_, l) => lens.kept(table, row, l));
    const original = table.layers.map((_, l) => lens.original(table, l));
    const removed = original.map((height, l) => Math.max(height - kept[l], 0));
    const places = table.layers.map((_, l) => l);
    const hover = table.layers.map((name, l) => {
      return [escapeTags(name), layerLines(lens, table, row, state.comparedRow, l).join("<br>")];
    });
    const traces = [
      barTrace("kept", places, kept, { color: colours[state.data.ranking], line: { width: 0 } }, hover),
      barTrace(
        "removed",
        places,
        removed,
        { color: colours.removed, line: { width: 1, color: colours.original } },
        hover,
      ),
    ];
    const others = state.comparedRow === null ? [] : [this.comparedTrace(table, state.comparedRow)];
    const stages = stageAxis(table.layers, BARS_PART * this.chart.clientWidth);
    this.chosen = state.opened ? -1 : table.layers.indexOf(state.charts.layer);
    const light = this.chosen < 0 ? [] : [columnShape(this.chosen)];
    const own = barsLayout(lens, highest(lens, table, original), original.length, stages, light);
    await Plotly.react(this.chart, [...traces, ...others], { ...layout, ...own }, config);
    this.locateBars();
  }

  /**
   * A tick across every bar: its height in the network compared with.
   * @param {DialTable} table
   * @param {number} row
   */
  comparedTrace(table, row) {
    const color = getComputedStyle(this.chart).getPropertyValue("--st-text-color");
    const size = Math.min(22, (0.7 * this.chart.clientWidth) / table.layers.length);
    return {
      x: table.layers.map((_, l) => l),
      y: table.layers.map((_, l) => this.lens.kept(table, row, l)),
      name: "compared with",
      mode: "markers",
      hoverinfo: "skip",
      marker: { symbol: "line-ew", size, line: { width: 2, color } },
    };
  }

  /** Find the bars in Plotly's drawing. */
  locateBars() {
    const [kept, removed] = [...this.chart.querySelectorAll(".barlayer .trace")].map((trace) => [
      ...trace.querySelectorAll(".point path"),
    ]);
    const { xaxis, yaxis } = axesOf(this.chart);
    this.yaxis = yaxis;
    this.bars = this.chart.calcdata[0].map(({ p0, p1 }, l) => ({
      kept: kept[l],
      removed: removed[l],
      left: xaxis.c2p(p0),
      right: xaxis.c2p(p1),
    }));
  }

  /**
   * Move the bars to another network; nothing else of the chart depends on the budget.
   * @param {number} row
   */
  move(row) {
    const { table, lens, yaxis } = this;
    if (!table || !yaxis) return;
    const ground = yaxis.l2p(0);
    this.bars.forEach(({ kept, removed, left, right }, l) => {
      const edge = yaxis.l2p(lens.kept(table, row, l));
      const top = Math.min(edge, yaxis.l2p(lens.original(table, l))); // a layer may take longer than in the original
      kept.setAttribute("d", `M${left},${ground}V${edge}H${right}V${ground}Z`);
      removed.setAttribute("d", top === edge ? "M0,0Z" : `M${left},${edge}V${top}H${right}V${edge}Z`); // no bare edge
    });
  }
}

/**
 * @param {string} name
 * @param {number[]} x
 * @param {number[]} y
 * @param {{ color: string, line: object }} marker
 * @param {string[][]} customdata
 */
function barTrace(name, x, y, marker, customdata) {
  return {
    type: "bar",
    x,
    y,
    name,
    marker,
    customdata,
    hovertemplate: "<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
  };
}

/**
 * A light behind the column of a layer.
 * @param {number} layer
 */
function columnShape(layer) {
  const column = { type: "rect", xref: "x", yref: "paper", x0: layer - 0.5, x1: layer + 0.5, y0: 0, y1: 1 };
  return { ...column, layer: "below", fillcolor: "rgba(229, 138, 31, 0.25)", line: { width: 0 } };
}

/**
 * The height of the highest bar at any budget: a layer may take longer with fewer filters.
 * @param {BarLens} lens
 * @param {DialTable} table
 * @param {number[]} original
 */
function highest(lens, table, original) {
  if (lens !== BAR_LENSES.time) return Math.max(...original, 1e-9);
  return table.layer_times.reduce((most, times) => Math.max(most, ...times), Math.max(...original, 1e-9));
}

/**
 * @param {BarLens} lens
 * @param {number} top
 * @param {number} layers
 * @param {ReturnType<typeof stageAxis>} stages
 * @param {object[]} lights behind the bars
 */
function barsLayout({ unit }, top, layers, { axis, shapes }, lights) {
  return {
    barmode: "stack",
    bargap: 0.12,
    shapes: [...shapes, ...lights],
    xaxis: {
      ...axis,
      showgrid: false,
      zeroline: false,
      range: [-0.5, layers - 0.5],
      fixedrange: true,
      automargin: true,
    },
    yaxis: { title: { text: unit }, range: [0, 1.02 * top], fixedrange: true, automargin: true },
  };
}
