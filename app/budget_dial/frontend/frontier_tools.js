// The switches above the frontier: its axis, its range and scale, the rankings that it shows, and the device.

/** @import { DialCharts, FrontierData, FrontierOptions } from "./types" */
import { fillMenu, fillSwitch, find } from "./dom.js";

export const FRONTIER_TOOLS = `
  <label class="bd-check"><input type="checkbox" name="whole"><span>Whole range</span></label>
  <label class="bd-check"><input type="checkbox" name="error"><span>Error, log</span></label>
  <span class="bd-others" role="group" aria-label="Rankings shown beside the chosen one"></span>
  <button type="button" class="bd-list-all">List all networks</button>
  <div class="bd-add-steps" role="group" aria-label="Add a device" tabindex="-1" hidden></div>`;
const ADD = "add"; // value of the menu's last entry; every device's name has its threads

const SHAPES = /** @type {{ [symbol: string]: string }} */ ({
  "learned-ms": "◆",
  learned: "●",
  identity: "■",
  uniform: "▲",
});

/**
 * @typedef {object} ToolsHandlers
 * @property {(choice: Partial<FrontierOptions>) => void} onChoose
 * @property {(device: string) => void} onDevice
 * @property {() => void} onListAll
 */

export class FrontierTools {
  /**
   * @param {HTMLElement} root
   * @param {FrontierOptions} options
   * @param {ToolsHandlers} handlers
   */
  constructor(root, options, handlers) {
    const tools = find(root, ".bd-frontier-tools", HTMLElement);
    tools.innerHTML = FRONTIER_TOOLS;
    this.options = options;
    this.handlers = handlers;
    this.axis = find(root, ".bd-axis", HTMLElement);
    this.others = find(root, ".bd-others", HTMLElement);
    this.menu = find(root, ".bd-device", HTMLSelectElement);
    this.steps = find(root, ".bd-add-steps", HTMLElement);
    this.device = "";
    this.menu.onchange = () => this.chooseDevice(this.menu.value);
    this.steps.onkeydown = ({ key }) => {
      if (key !== "Escape") return;
      this.showSteps(false);
      this.menu.focus();
    };
    this.listAll = find(root, ".bd-list-all", HTMLButtonElement);
    this.listAll.onclick = () => handlers.onListAll();
    this.whole = find(tools, "[name=whole]", HTMLInputElement);
    this.error = find(tools, "[name=error]", HTMLInputElement);
    this.whole.onchange = () => handlers.onChoose({ whole: this.whole.checked });
    this.error.onchange = () => handlers.onChoose({ error: this.error.checked });
  }

  /**
   * Take over new data.
   * @param {DialCharts} charts
   * @param {FrontierData} frontier
   * @param {string} ranking the chosen one
   */
  show(charts, frontier, ranking) {
    const { options, handlers } = this;
    this.whole.checked = options.whole;
    this.error.checked = options.error;
    fillSwitch(this.axis, "axis", frontier.axes, options.axis, (axis) => handlers.onChoose({ axis }));
    this.showOthers(frontier, ranking, charts.style.colours);
  }

  /** @param {string} name */
  chooseDevice(name) {
    this.showSteps(name === ADD);
    if (name === ADD) this.menu.value = this.device;
    else this.handlers.onDevice(name);
  }

  /**
   * The menu of devices. It is of use where latency is shown, or where there are several of them.
   * @param {DialCharts} charts
   */
  showDevices({ device, devices, add_device, frontier }) {
    const named = devices.map((name) => /** @type {[string, string]} */ ([name, name]));
    fillMenu(this.menu, [...named, [ADD, "Add a device…"]], device);
    this.device = this.menu.title = device; // the title says all of a name that is cut
    this.fillSteps(add_device);
    const isOfUse = devices.length > 1 || (devices.length === 1 && (!frontier || this.options.axis === "latency"));
    this.menu.hidden = !isOfUse;
    if (this.menu.hidden) this.showSteps(false);
  }

  /**
   * Switches that show the other rankings.
   * @param {FrontierData} frontier
   * @param {string} ranking
   * @param {{ [name: string]: string }} colours
   */
  showOthers({ rankings }, ranking, colours) {
    const { others: element, options } = this;
    const offered = rankings.filter(([name]) => name !== ranking);
    if (element.dataset.options !== JSON.stringify(offered)) {
      element.dataset.options = JSON.stringify(offered); // replaced only where they change, so that the focus stays
      element.replaceChildren(...offered.map(([name, caption]) => this.otherRanking(name, caption, colours[name])));
      element.hidden = !offered.length;
    }
    for (const input of element.querySelectorAll("input")) input.checked = options.others.includes(input.name);
  }

  /**
   * A switch that shows another ranking.
   * @param {string} name
   * @param {string} caption
   * @param {string} colour
   */
  otherRanking(name, caption, colour) {
    const input = Object.assign(document.createElement("input"), { type: "checkbox", name });
    input.onchange = () => {
      const others = this.options.others.filter((other) => other !== name).concat(input.checked ? [name] : []);
      this.handlers.onChoose({ others });
    };
    const mark = Object.assign(document.createElement("i"), { textContent: SHAPES[name], ariaHidden: "true" });
    mark.style.color = colour;
    const label = Object.assign(document.createElement("label"), { className: "bd-check" });
    label.append(input, mark, Object.assign(document.createElement("span"), { textContent: caption }));
    return label;
  }

  /** @param {[string, string][]} steps words, and what is to be copied */
  fillSteps(steps) {
    const list = document.createElement("ol");
    for (const [words, code] of steps) {
      const item = Object.assign(document.createElement("li"), { textContent: `${words} ` });
      item.append(Object.assign(document.createElement("code"), { textContent: code }));
      list.append(item);
    }
    this.steps.replaceChildren(list);
  }

  /** @param {boolean} isShown */
  showSteps(isShown) {
    this.steps.hidden = !isShown;
    if (isShown) this.steps.focus();
  }
}
