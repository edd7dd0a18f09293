// The map of layers whose filters leave together: its drawing, what the pointer and the arrow keys tell of a lane, and the
// same as a list.

/** @import { ChartStyle, DialTable, Lane, LanesData } from "./types" */
/** @import { DrawnLane } from "./lane_drawing.js" */
import { clamp, find, setText } from "./dom.js";
import { LaneDrawing } from "./lane_drawing.js";
import { laneLines, mapLabel } from "./lane_words.js";
import { keepUnits } from "./text.js";

/** @typedef {{ table: DialTable, map: LanesData, row: number, comparedRow: number | null, layer: string }} LanesShown */

export class LaneMap {
  /**
   * @param {HTMLElement} element
   * @param {(layer: string) => void} onChoose a layer was chosen
   */
  constructor(element, onChoose) {
    this.onChoose = onChoose;
    this.pane = find(element, ".bd-pane", HTMLElement);
    this.tip = find(element, ".bd-tip", HTMLElement);
    this.details = find(element, "details", HTMLDetailsElement);
    this.list = find(element, "ol", HTMLOListElement);
    /** @type {LanesShown | null} */
    this.shown = null;
    /** @type {LaneDrawing | null} */
    this.drawing = null;
    this.signature = ""; // of what the drawing depends on
    /** @type {DrawnLane | null} the lane that is pointed at */
    this.chosen = null;
    this.listen();
  }

  /**
   * Draw the map, anew only where more than the budget has changed.
   * @param {LanesShown} shown
   * @param {ChartStyle} style
   */
  draw(shown, style) {
    const { table, map, row } = shown;
    this.shown = { ...shown };
    const signature = JSON.stringify([map, table.totals, this.pane.clientWidth]);
    if (!this.drawing || signature !== this.signature) {
      this.signature = signature;
      this.drawing = new LaneDrawing(this.pane, table, map, style);
      this.choose(null);
    }
    this.move(row);
    const lanes = this.drawing.lanes.map(({ lane }) => lane);
    this.drawing.svg.setAttribute("aria-label", mapLabel(table, lanes, row));
    this.fillList();
  }

  /**
   * Show another network.
   * @param {number} row
   */
  move(row) {
    if (!this.drawing || !this.shown) return;
    this.shown.row = row;
    this.drawing.move(this.shown.table, row);
    this.drawing.lightColumn(this.shown.map.columns.indexOf(this.shown.layer));
    this.fillTip();
  }

  listen() {
    const { pane } = this;
    pane.onpointermove = pane.onpointerdown = ({ clientX, clientY }) => {
      const lane = this.drawing?.laneAt(clientX, clientY) ?? null;
      this.choose(lane, clientX - pane.getBoundingClientRect().x);
    };
    pane.onpointerleave = (event) => {
      if (event.pointerType === "mouse") this.choose(null); // a finger leaves at once, and its lane stays chosen
    };
    pane.onclick = ({ clientX }) => this.open(this.drawing?.columnAt(clientX) ?? -1);
    pane.onblur = () => this.choose(null);
    pane.onkeydown = (event) => {
      if (event.key === "Enter" && this.chosen) this.open(this.chosen.lane.writers[0]);
      if (!["ArrowRight", "ArrowLeft", "Escape"].includes(event.key) || !this.drawing?.lanes.length) return;
      event.preventDefault();
      this.choose(event.key === "Escape" ? null : this.neighbour(event.key === "ArrowRight" ? 1 : -1));
    };
    this.details.ontoggle = () => this.fillList();
  }

  /**
   * Open the card of the layer in a column, if it has one.
   * @param {number} column
   */
  open(column) {
    const { map, table } = this.shown ?? {};
    const layer = map?.columns[column];
    if (layer && table?.layers.includes(layer)) this.onChoose(layer);
  }

  /**
   * The lane beside the chosen one; where none is, the first or the last.
   * @param {1 | -1} step
   */
  neighbour(step) {
    const lanes = this.drawing?.lanes ?? [];
    const last = lanes.length - 1;
    if (!this.chosen) return lanes[step > 0 ? 0 : last];
    return lanes[clamp(0, lanes.indexOf(this.chosen) + step, last)];
  }

  /**
   * Describe a lane and fade the others; null: none.
   * @param {DrawnLane | null} chosen
   * @param {number} [x] of the pointer; without one, the middle of the lane is scrolled to
   */
  choose(chosen, x) {
    if (!this.drawing || (chosen && chosen === this.chosen)) return;
    this.chosen = chosen;
    this.drawing.svg.classList.toggle("bd-has-chosen", chosen !== null);
    for (const drawn of this.drawing.lanes) drawn.group.classList.toggle("bd-chosen", drawn === chosen);
    this.tip.hidden = chosen === null;
    if (!chosen) return;
    this.fillTip();
    this.placeTip(chosen.lane, this.drawing, x);
  }

  /**
   * Put the description below its lane.
   * @param {Lane} lane
   * @param {LaneDrawing} drawing
   * @param {number} [x]
   */
  placeTip(lane, drawing, x) {
    const { pane, tip } = this;
    const middle = drawing.x((lane.first + lane.last) / 2);
    if (x === undefined) pane.scrollLeft = middle - pane.clientWidth / 2;
    const left = (x ?? middle - pane.scrollLeft) - tip.offsetWidth / 2;
    tip.style.left = `${clamp(0, left, pane.clientWidth - tip.offsetWidth)}px`;
    tip.style.top = `${pane.offsetTop + drawing.y(lane.row) + drawing.line / 2 + 4}px`;
  }

  fillTip() {
    if (!this.chosen || !this.shown) return;
    const lines = linesOf(this.shown, this.chosen.lane);
    while (this.tip.childElementCount < lines.length) this.tip.append(document.createElement("div"));
    [...this.tip.children].forEach((line, n) => setText(line, keepUnits(lines[n] ?? "")));
  }

  /** The list is filled only while it is open. */
  fillList() {
    const { shown, drawing } = this;
    if (!this.details.open || !shown || !drawing) return;
    const items = drawing.lanes.map(({ lane }) => {
      return Object.assign(document.createElement("li"), { textContent: linesOf(shown, lane).join(". ") });
    });
    this.list.replaceChildren(...items);
  }
}

/**
 * @param {LanesShown} shown
 * @param {Lane} lane
 */
function linesOf({ table, map, row, comparedRow }, lane) {
  return laneLines(table, map, lane, row, comparedRow);
}
