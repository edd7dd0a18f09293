// The frontier as a whole: the chart with its switches, what the pointer does on it, and the list of its networks.

/** @import { DialCharts, DialState, FrontierData, FrontierOptions, NetworkAction, OpenNetwork, PlotlyChart, PlotlyLibrary } from "./types" */
import { find } from "./dom.js";
import { FrontierChart } from "./frontier_chart.js";
import { FrontierKeys } from "./frontier_keys.js";
import { FrontierLights } from "./frontier_lights.js";
import { FrontierList } from "./frontier_list.js";
import { originalOf } from "./frontier_networks.js";
import { FrontierPointer } from "./frontier_pointer.js";
import { FrontierTools } from "./frontier_tools.js";
import { noGainWords } from "./no_gain.js";

/**
 * @typedef {object} FrontierHandlers
 * @property {(choice: Partial<FrontierOptions>) => void} onChoose
 * @property {(device: string) => void} onDevice
 * @property {(network: OpenNetwork, run: string, page?: string) => void} onOpen
 * @property {(percent: number) => void} onHold
 */

export class Frontier {
  /**
   * @param {HTMLElement} root
   * @param {DialState} state
   * @param {FrontierHandlers} handlers
   */
  constructor(root, state, handlers) {
    this.state = state;
    this.handlers = handlers;
    /** @type {FrontierOptions} */
    this.options = { axis: "", whole: false, error: false, others: [] };
    this.plot = /** @type {PlotlyChart} */ (find(root, ".bd-frontier .bd-plot", HTMLElement));
    this.chart = new FrontierChart(this.plot, this.options);
    this.toolsElement = find(root, ".bd-frontier-tools", HTMLElement);
    this.tools = new FrontierTools(find(root, ".bd-frontier", HTMLElement), this.options, {
      onChoose: (choice) => {
        this.pointer.hideRegion();
        handlers.onChoose(choice);
      },
      onDevice: handlers.onDevice,
      onListAll: () => this.listAll(),
    });
    this.pointer = new FrontierPointer(this.plot, {
      places: () => this.chart.places(),
      about: (x) => this.aboutSpot(x),
      onOpen: (network) => this.open(network),
      onMeet: (networks) => this.networks.mark(networks),
      onBrush: (networks) => this.list(networks, `${countOf(networks)} in the region`),
    });
    this.keys = new FrontierKeys(this.pointer);
    /** @type {FrontierData | null} whose networks the keys go through */
    this.told = null;
    this.lights = new FrontierLights(this.plot);
    this.networks = new FrontierList(find(root, ".bd-list", HTMLElement), {
      onAction: (action, network) => this.act(action, network),
      whyNot: (action, network) => this.whyNot(action, network),
      onPoint: (network) => this.light(network),
      onClose: (hadFocus) => {
        this.pointer.hideRegion();
        this.light(null);
        if (hadFocus) this.tools.listAll.focus();
      },
    });
  }

  get data() {
    return this.state.data.charts?.frontier ?? null;
  }

  /**
   * Take over new data.
   * @param {DialCharts} charts
   */
  show(charts) {
    const { frontier } = charts;
    this.plot.hidden = this.toolsElement.hidden = !frontier;
    if (!frontier) {
      this.tools.showDevices(charts);
      this.networks.close();
      return;
    }
    const { axis, whole, error, others } = this.state.charts;
    const { ranking } = this.state.data;
    Object.assign(this.options, {
      axis: frontier.axes.some(([name]) => name === axis) ? axis : frontier.axes[0][0],
      whole,
      error,
      others: others.filter((name) => name !== ranking && frontier.rankings.some(([other]) => other === name)),
    });
    this.tools.show(charts, frontier, ranking);
    this.tools.showDevices(charts);
    if (this.networks.frontier !== frontier && !this.networks.element.hidden) this.networks.close();
    if (this.told !== frontier) this.keys.choose(null); // a network's number is of the data before
    this.told = frontier;
  }

  /**
   * @param {PlotlyLibrary} Plotly
   * @param {DialCharts} charts
   */
  async draw(Plotly, charts) {
    this.light(null);
    if (charts.frontier) await this.chart.draw(Plotly, this.state, charts, charts.frontier);
  }

  /** @param {number} row */
  move(row) {
    this.chart.move(row);
  }

  /**
   * Why time is not gained, where the pointer is on the part that gains none.
   * @param {number} x pixels
   */
  aboutSpot(x) {
    const { axes, slow } = this.chart;
    const { table, original } = this.state.data;
    if (!axes) return "";
    const at = (/** @type {number} */ value) => axes.xaxis.c2p(value) + axes.xaxis._offset;
    const found = slow.find(({ ends: [left, right] }) => x >= at(left) && x <= at(right));
    return found ? noGainWords(table, original.latency, found.part) : "";
  }

  /**
   * Show where a network is on the chart.
   * @param {number | null} network null: of none
   */
  light(network) {
    this.lights.show(network === null ? [] : this.chart.places().filter((place) => place.network === network));
  }

  listAll() {
    const all = this.data?.networks.percent.map((_, network) => network) ?? [];
    this.pointer.hideRegion();
    this.list(all, countOf(all));
    this.networks.element.querySelector("button")?.focus({ preventScroll: true });
  }

  /**
   * @param {number[]} networks
   * @param {string} title
   */
  list(networks, title) {
    if (!this.data) return;
    this.networks.show(this.data, networks, title);
    this.networks.reveal();
  }

  /**
   * Go to a network.
   * @param {number} network
   * @param {string} [page] to go to with it
   */
  open(network, page) {
    if (!this.data) return;
    const { percent, opens, run, height } = this.data.networks;
    if (!opens[network] && !run[network]) return;
    const found = { percent: percent[network], ranking: opens[network], size: height[network] };
    this.handlers.onOpen(found, run[network], page);
  }

  /**
   * @param {NetworkAction} action
   * @param {number} network
   */
  act(action, network) {
    if (action === "hold") this.handlers.onHold(this.data?.networks.percent[network] ?? 100);
    else this.open(network, action === "export" ? "finetune" : undefined);
  }

  /**
   * The reason why an action is not offered for a network; "": it is.
   * @param {NetworkAction} action
   * @param {number} network
   */
  whyNot(action, network) {
    if (!this.data) return "";
    const { opens, run, height } = this.data.networks;
    const isOriginal = network === originalOf(this.data);
    if (!opens[network] && !run[network]) return "No ranking of today leads to it, and its weights are not stored";
    if (action === "export" && isOriginal) return "It is not pruned";
    if (action !== "hold") return "";
    const { ranking, size } = this.state.data;
    if (!isOriginal && opens[network] !== ranking) return "It is of another ranking: go there first";
    return height[network] !== size ? "It takes images of another size: go there first" : "";
  }
}

/** @param {number[]} networks */
function countOf({ length }) {
  return length === 1 ? "1 network" : `${length || "No"} networks`;
}
