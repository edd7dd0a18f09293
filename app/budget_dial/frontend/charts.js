// The lower half of the dial: the layers, as bars or as the lane map, and the frontier, with their switches and files.

/** @import { ChartChoices, ChartName, DialCharts, DialState, OpenNetwork, FileFormat, Lens, Pin, PlotlyChart } from "./types" */
import { clamp, fillSwitch, find, setText } from "./dom.js";
import { PICTURES, addFileButtons, pictureTitle, saveChart, saveDrawing, saveTable } from "./downloads.js";
import { Frontier } from "./frontier.js";
import { laneRows } from "./lane_words.js";
import { LaneMap } from "./lane_map.js";
import { LayerCard } from "./layer_card.js";
import { LayerBars } from "./layer_bars.js";
import { lensesOf } from "./lenses.js";
import { loadPlotly } from "./plotly.js";
import { shownNetwork } from "./shown.js";
import { layerRows } from "./tables.js";

/**
 * What the user did, and what went wrong.
 * @typedef {object} ChartsHandlers
 * @property {(choice: Partial<ChartChoices>) => void} onChoose what is shown
 * @property {(device: string) => void} onDevice
 * @property {(network: OpenNetwork, run: string, page?: string) => void} onOpen a measured network was chosen
 * @property {(pin: Pin) => void} onPin a layer is to keep exactly so many filters
 * @property {(percent: number) => void} onHold a measured network is compared with from now on
 * @property {(message: string) => void} onError
 */

/** @type {Record<Lens, string>} what the layers' chart shows */
const LENS_TITLES = {
  filters: "Filters of each layer",
  percent: "Filters kept of each layer",
  macs: "MACs of each layer",
  params: "Parameters of each layer",
  time: "Time of each layer",
  together: "Which layers go together",
};
const CHART_PX = { least: 240, most: 520, caption: 46, foot: 36, tools: 32 }; // heights: of a chart, of what stands around it

export class Charts {
  /**
   * @param {HTMLElement} root
   * @param {DialState} state
   * @param {ChartsHandlers} handlers
   */
  constructor(root, state, handlers) {
    this.root = root;
    this.state = state;
    this.handlers = handlers;
    this.element = find(root, ".bd-charts", HTMLElement);
    this.lensSwitch = find(root, ".bd-lens", HTMLElement);
    this.title = find(root, ".bd-title", HTMLElement);
    this.nothing = find(root, ".bd-nothing", HTMLElement);
    this.frontierFiles = find(root, ".bd-frontier .bd-files", HTMLElement);
    this.mapElement = find(root, ".bd-map", HTMLElement);
    this.plots = {
      layers: /** @type {PlotlyChart} */ (find(root, ".bd-layers .bd-plot", HTMLElement)),
      frontier: /** @type {PlotlyChart} */ (find(root, ".bd-frontier .bd-plot", HTMLElement)),
    };
    const openCard = (/** @type {string} */ layer) => {
      if (state.opened) return; // its filters stand in the order of another ranking
      handlers.onChoose({ layer });
      if (!layer) this.plots.layers.focus();
    };
    this.bars = new LayerBars(this.plots.layers, openCard);
    this.map = new LaneMap(this.mapElement, openCard);
    this.card = new LayerCard(find(root, ".bd-card", HTMLElement), state, openCard, handlers.onPin);
    this.frontier = new Frontier(root, state, handlers);
    addFileButtons(find(root, ".bd-layers .bd-files", HTMLElement), (format) => this.save("layers", format));
    addFileButtons(this.frontierFiles, (format) => this.save("frontier", format), PICTURES); // its table is the page's own
    this.draws = 0; // how many were begun
    this.hadCard = false;
    /** @type {number | null} the width that the charts are drawn for; null: none yet */
    this.width = null;
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.element);
  }

  /** Take over new data: the switches, and which charts there are. */
  show() {
    const { charts } = this.state.data;
    this.element.hidden = !charts;
    if (!charts) return;
    const { lens } = this;
    this.fit(charts);
    setText(this.title, LENS_TITLES[lens]);
    fillSwitch(this.lensSwitch, "lens", lensesOf(this.state.data.table), lens, (name) =>
      this.handlers.onChoose({ lens: /** @type {Lens} */ (name) }),
    );
    this.frontier.show(charts);
    setText(this.nothing, charts.frontier ? "" : charts.nothing_measured);
    this.frontierFiles.hidden = !charts.frontier;
    this.card.show();
    this.arrange();
  }

  /** The lens that was chosen, as far as there are figures for it. */
  get lens() {
    const { data, charts } = this.state;
    return lensesOf(data.table).some(([name]) => name === charts.lens) ? charts.lens : "filters";
  }

  get isMap() {
    return this.lens === "together";
  }

  /**
   * Let the charts end where the window does, if it is high enough.
   * @param {DialCharts} charts
   */
  fit({ style }) {
    const above = this.element.offsetTop + CHART_PX.caption + CHART_PX.foot;
    const height = clamp(CHART_PX.least, window.innerHeight - above, CHART_PX.most);
    style.layout.height = height;
    this.root.style.setProperty("--bd-chart-height", `${height}px`);
  }

  /** Put the bars beside the frontier, or the lane map in their place: the switch stays where it was clicked. */
  arrange() {
    const { isMap } = this;
    const { layers } = this.plots;
    const hasCard = this.card.isOpen;
    if (this.element.classList.toggle("bd-has-card", hasCard) !== this.hadCard) this.width = 0;
    this.hadCard = hasCard;
    if (layers.hidden === isMap) return this.resize();
    layers.hidden = isMap;
    this.mapElement.hidden = !isMap;
    if (layers._fullLayout) window.Plotly?.purge(layers); // its size would be wrong when it comes back
    this.width = 0;
    this.resize();
  }

  /** Let the marks follow the slider; what is drawn by Plotly stays as it is. */
  move() {
    const { data } = this.state;
    const { row } = shownNetwork(this.state);
    if (!data.charts) return;
    if (this.card.isOpen !== this.hadCard) {
      this.show();
      this.draw();
      return;
    }
    this.card.move(row);
    if (this.isMap) this.map.move(row);
    else this.bars.move(row);
    if (data.charts.frontier && !this.card.isOpen) this.frontier.move(row);
  }

  /** Draw all charts for the slider's network. */
  async draw() {
    const { charts } = this.state.data;
    if (!charts) return;
    this.drawMap(charts);
    try {
      if (!(await this.drawPlots(charts))) return;
    } catch (error) {
      this.handlers.onError(error instanceof Error ? `${error.message}.` : String(error));
      return;
    }
    this.move(); // the slider may have gone on meanwhile
    this.label();
  }

  /** @param {DialCharts} charts */
  drawMap(charts) {
    const { table, row } = shownNetwork(this.state);
    const { comparedRow } = this.state;
    const layer = this.card.isOpen ? this.state.charts.layer : "";
    if (this.isMap) this.map.draw({ table, map: charts.lanes, row, comparedRow, layer }, charts.style);
  }

  /**
   * Let Plotly draw its charts. Returns false where they are to be drawn anew: that is done by its own call.
   * @param {DialCharts} charts
   */
  async drawPlots(charts) {
    const { state } = this;
    const draw = ++this.draws;
    const Plotly = await loadPlotly(state.data.plotly);
    if (draw !== this.draws) return false;
    this.width ??= this.element.clientWidth;
    if (!this.isMap) await this.bars.draw(Plotly, state, charts, this.lens);
    if (draw !== this.draws) return false;
    if (!this.card.isOpen) await this.frontier.draw(Plotly, withoutTools(charts));
    return draw === this.draws;
  }

  /** Say what the charts show, for those who cannot see them. */
  label() {
    const { table, row } = shownNetwork(this.state);
    const sum = (/** @type {Float64Array} */ counts) => counts.reduce((total, n) => total + n, 0);
    const [kept, total] = [sum(table.kept[row]), sum(table.totals)];
    const { layers, frontier } = this.plots;
    layers.ariaLabel = `Stacked bars: ${kept} of ${total} filters are kept in ${table.totals.length} layers. The arrow keys open the cards of layers.`;
    frontier.ariaLabel =
      "Accuracy of the measured networks against their cost. Arrow keys go from one to the next, Enter opens it.";
  }

  /** Fit the charts to the width of the page. */
  resize() {
    const { Plotly } = window;
    const width = this.element.clientWidth;
    if (!width || width === this.width || !Plotly) return;
    this.width = width;
    const visible = Object.values(this.plots).filter((plot) => plot._fullLayout && plot.clientWidth);
    Promise.all(visible.map((plot) => Plotly.Plots.resize(plot))).then(() => this.draw());
  }

  /**
   * Save a chart as a file.
   * @param {ChartName} chart
   * @param {FileFormat} format
   */
  save(chart, format) {
    const { data } = this.state;
    const { charts } = data;
    const { table, row } = shownNetwork(this.state);
    if (!charts) return;
    const map = chart === "layers" && this.isMap ? charts.lanes : null;
    const name = `${data.study}-${map ? "lanes" : chart}-${table.stated[row]}`;
    if (format === "csv") return saveTable(map ? laneRows(table, map, row) : layerRows(table, row), name);
    const file = { name, format, title: pictureTitle(this.titleParts(), new Date()) };
    if (map) return this.map.drawing && saveDrawing(this.map.drawing.toFile(), charts.style, file);
    return window.Plotly && saveChart(window.Plotly, this.plots[chart], charts.style, file);
  }

  /** Which network is shown, for the title of a picture. */
  titleParts() {
    const { data, opened } = this.state;
    const { table, row } = shownNetwork(this.state);
    const which = opened ? `run ${opened.run}` : `${data.ranking} ranking`;
    const size = data.sizes.length > 1 ? [`${data.size} px`] : [];
    return [data.title, which, ...size, `${table.stated[row]} % of the MACs`];
  }

  /** Give back what Plotly and the browser hold for the charts. */
  close() {
    this.sizes.disconnect();
    this.card.close();
    for (const plot of Object.values(this.plots)) {
      if (plot._fullLayout) window.Plotly?.purge(plot);
    }
  }
}

/**
 * The charts' style for the frontier, which has a row of switches above it and ends where the layers do.
 * @param {DialCharts} charts
 * @returns {DialCharts}
 */
function withoutTools(charts) {
  const { layout } = charts.style;
  return { ...charts, style: { ...charts.style, layout: { ...layout, height: layout.height - CHART_PX.tools } } };
}
