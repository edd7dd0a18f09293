// The list of networks below the charts: those of a region of the frontier, or all. It is sorted in the browser.

/** @import { FrontierData, NetworkAction } from "./types" */
import { columnsOf, sortedNetworks } from "./frontier_networks.js";

/** @type {[NetworkAction, string][]} */
const ACTIONS = [
  ["go", "Go there"],
  ["hold", "Hold"],
  ["export", "Export"],
];

const HEAD_PX = 32; // of the table's head

/**
 * @typedef {object} ListHandlers
 * @property {(action: NetworkAction, network: number) => void} onAction
 * @property {(action: NetworkAction, network: number) => string} whyNot the reason why an action is not offered; "": it is
 * @property {(network: number | null) => void} onPoint a row is pointed at; null: none is any more
 * @property {(hadFocus: boolean) => void} onClose
 */

export class FrontierList {
  /**
   * @param {HTMLElement} element
   * @param {ListHandlers} handlers
   */
  constructor(element, handlers) {
    this.element = element;
    this.handlers = handlers;
    /** @type {FrontierData | null} */
    this.frontier = null;
    /** @type {number[]} */
    this.networks = [];
    /** @type {Map<number, HTMLElement>} the row of each network */
    this.rows = new Map();
    this.title = "";
    this.column = "budget";
    this.isDescending = true;
    element.hidden = true;
  }

  /**
   * @param {FrontierData} frontier
   * @param {number[]} networks
   * @param {string} title
   */
  show(frontier, networks, title) {
    this.frontier = frontier;
    this.networks = networks;
    this.title = title;
    this.element.hidden = false;
    this.fill();
  }

  /** Bring the list into sight, which opens below the charts; where it is higher than the room, its head. */
  reveal() {
    const { element } = this;
    const { scrollMarginTop, scrollMarginBottom } = getComputedStyle(element); // for what stays at the window's ends
    const height = parseFloat(scrollMarginTop) + element.offsetHeight + parseFloat(scrollMarginBottom);
    const block = height <= window.innerHeight ? "nearest" : "start";
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollIntoView({ block, behavior: isStill ? "instant" : "smooth" });
  }

  close() {
    const hadFocus = this.element.contains(document.activeElement);
    this.element.hidden = true;
    this.element.replaceChildren();
    this.handlers.onClose(hadFocus);
  }

  fill() {
    const head = element("div", { className: "bd-list-head" });
    const close = element("button", { type: "button", textContent: "Close" });
    close.onclick = () => this.close();
    head.append(element("strong", { textContent: this.title }), close);
    head.setAttribute("role", "status");
    const pane = element("div", { className: "bd-pane", tabIndex: 0 });
    pane.setAttribute("role", "group");
    pane.ariaLabel = "Networks; the table can be scrolled";
    const table = element("table", {});
    table.append(this.headRow(), this.body());
    pane.append(table);
    const hadFocus = this.element.contains(document.activeElement) ? document.activeElement?.textContent : null;
    this.element.replaceChildren(head, ...(this.networks.length ? [pane] : []));
    const again = [...this.element.querySelectorAll("th button")].find(({ textContent }) => textContent === hadFocus);
    if (again instanceof HTMLElement) again.focus();
  }

  headRow() {
    const row = element("tr", {});
    for (const { name, caption } of this.frontier ? columnsOf(this.frontier) : []) {
      const cell = element("th", { scope: "col" });
      const button = element("button", { type: "button", textContent: caption });
      button.onclick = () => this.sortBy(name);
      if (name === this.column) cell.ariaSort = this.isDescending ? "descending" : "ascending";
      cell.append(button);
      row.append(cell);
    }
    row.append(element("td", {})); // above the buttons, which say themselves what they do
    const head = element("thead", {});
    head.append(row);
    return head;
  }

  /**
   * Mark the rows of networks that are pointed at on the chart, and let the first be in sight.
   * @param {number[]} networks
   */
  mark(networks) {
    for (const [network, row] of this.rows) row.classList.toggle("bd-met", networks.includes(network));
    const pane = this.element.querySelector(".bd-pane");
    const row = this.rows.get(networks.find((network) => this.rows.has(network)) ?? -1);
    if (!pane || !row) return;
    const above = row.offsetTop - HEAD_PX - pane.scrollTop; // rows lie below the head, which stays
    const below = row.offsetTop + row.offsetHeight - pane.clientHeight - pane.scrollTop;
    pane.scrollTop += above < 0 ? above : Math.max(0, below); // of the table alone, not of the page
  }

  body() {
    this.rows.clear();
    const body = element("tbody", {});
    const { frontier } = this;
    if (!frontier) return body;
    for (const network of sortedNetworks(frontier, this.networks, this.column, this.isDescending)) {
      const row = element("tr", {});
      for (const { value, show, difference } of columnsOf(frontier)) {
        const cell = element("td", { textContent: show(value(frontier, network), frontier, network) });
        const against = difference?.(frontier, network);
        if (against) cell.append(" ", element("small", { textContent: against }));
        row.append(cell);
      }
      const actions = element("td", {});
      for (const [action, caption] of ACTIONS) {
        const whyNot = this.handlers.whyNot(action, network);
        const ariaLabel = `${caption}: ${row.cells[0].textContent}, ${row.cells[1].textContent}`.trim();
        const button = element("button", { type: "button", textContent: caption, title: whyNot, ariaLabel });
        button.disabled = Boolean(whyNot);
        button.onclick = () => this.handlers.onAction(action, network);
        actions.append(button);
      }
      row.append(actions);
      row.onpointerenter = () => this.handlers.onPoint(network);
      row.onpointerleave = () => this.handlers.onPoint(null);
      row.addEventListener("focusin", () => this.handlers.onPoint(network));
      row.addEventListener("focusout", () => this.handlers.onPoint(null));
      this.rows.set(network, row);
      body.append(row);
    }
    return body;
  }

  /** @param {string} column */
  sortBy(column) {
    this.isDescending = column === this.column ? !this.isDescending : column !== "ranking";
    this.column = column;
    this.fill();
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Partial<HTMLElementTagNameMap[T]>} facts
 * @returns {HTMLElementTagNameMap[T]}
 */
function element(tag, facts) {
  return Object.assign(document.createElement(tag), facts);
}
