// The drawing of the lane map, in SVG: layers from left to right, and a line for each set of layers whose filters leave
// together. It is as thick as the layers have filters, and coloured by the share that is kept.

/** @import { ChartStyle, DialTable, Lane, LanesData } from "./types" */
/** @import { Drawing } from "./downloads.js" */
import { clamp } from "./dom.js";
import { fits, keptShare, lanesOf, sectionsOf } from "./lane_words.js";
import { SVG, add } from "./svg.js";

/**
 * @typedef {object} DrawnLane
 * @property {Lane} lane
 * @property {SVGElement} group
 * @property {number} width of the whole line, pixels
 * @property {SVGElement | null} core the kept part of the line; null of a fixed lane
 * @property {SVGElement[]} marks one for each layer
 * @property {number | null} share kept, as drawn
 */

const SHADES = ["#e58a1f", "#d9675a", "#b0568f", "#7456ae", "#2a56bd"]; // none kept ... all; safe for the colour-blind
const INK = "var(--st-text-color)";
const PAPER = "var(--st-background-color)";
const [SIDE, TOP, BOTTOM] = [14, 40, 24]; // pixels around the rows
const ROWS_HEIGHT = 330; // pixels for all rows together, where that leaves each a legible one
const FONT_SIZE = 11;
const READER = { stroke: INK, "stroke-width": 1.5, "stroke-opacity": 0.6 };

/**
 * The colour of a share.
 * @param {number} share in [0, 1]
 */
export function shadeOf(share) {
  const position = share * (SHADES.length - 1);
  const n = Math.min(Math.floor(position), SHADES.length - 2);
  const channel = (/** @type {string} */ colour, /** @type {number} */ at) => parseInt(colour.slice(at, at + 2), 16);
  const mixed = [1, 3, 5].map((at) => {
    const [from, to] = [channel(SHADES[n], at), channel(SHADES[n + 1], at)];
    return Math.round(from + (position - n) * (to - from));
  });
  return `rgb(${mixed.join(", ")})`;
}

/** The map at one size of the page; a budget changes only colours and the kept part of each line. */
export class LaneDrawing {
  /**
   * @param {HTMLElement} pane is emptied
   * @param {DialTable} table
   * @param {LanesData} map
   * @param {ChartStyle} style
   */
  constructor(pane, table, map, style) {
    const room = pane.clientWidth - 2 * SIDE;
    const narrowest = room < 400 ? 12 : 9; // what does not fit is scrolled to
    this.pitch = clamp(narrowest, room / map.columns.length, 60);
    this.line = clamp(12, Math.floor(ROWS_HEIGHT / map.n_rows), 30);
    this.width = Math.ceil(2 * SIDE + map.columns.length * this.pitch);
    this.height = Math.ceil(TOP + map.n_rows * this.line + BOTTOM);
    const viewBox = `0 0 ${this.width} ${this.height}`;
    pane.replaceChildren();
    this.svg = add(pane, "svg", {
      width: this.width,
      height: this.height,
      viewBox,
      role: "img",
      "font-size": FONT_SIZE,
    });
    this.style = style;
    const lanes = lanesOf(table, map);
    this.light = add(this.svg, "path", { fill: "#e58a1f", "fill-opacity": 0.25 });
    this.drawKey(lanes.some((lane) => lane.fixed));
    this.drawSections(map.columns, TOP + map.n_rows * this.line);
    const mostFilters = Math.max(...lanes.flatMap((lane) => lane.layers.map((l) => table.totals[l])), 1);
    this.lanes = lanes.map((lane) => (lane.fixed ? this.drawFixed(lane) : this.drawLane(lane, table, mostFilters)));
  }

  /**
   * The middle of a column, pixels.
   * @param {number} column
   */
  x(column) {
    return SIDE + (column + 0.5) * this.pitch;
  }

  /**
   * The middle of a row, pixels.
   * @param {number} row
   */
  y(row) {
    return TOP + (row + 0.5) * this.line;
  }

  /**
   * Light the column of a layer; -1: none.
   * @param {number} column
   */
  lightColumn(column) {
    const [left, half] = [this.x(column), this.pitch / 2];
    const path = `M${left - half},${TOP - 8}H${left + half}V${this.height - BOTTOM}H${left - half}Z`;
    this.light.setAttribute("d", column < 0 ? "" : path);
  }

  /**
   * The column at a point of the window, which may be none of the map's.
   * @param {number} clientX
   */
  columnAt(clientX) {
    return Math.floor((clientX - this.svg.getBoundingClientRect().x - SIDE) / this.pitch);
  }

  /**
   * The lane at a point of the window.
   * @param {number} clientX
   * @param {number} clientY
   */
  laneAt(clientX, clientY) {
    const box = this.svg.getBoundingClientRect();
    const column = (clientX - box.x - SIDE) / this.pitch;
    const row = Math.floor((clientY - box.y - TOP) / this.line);
    return this.lanes.find(({ lane }) => lane.row === row && lane.first <= column && column <= lane.last + 1) ?? null;
  }

  /**
   * What colours and marks mean.
   * @param {boolean} hasFixed
   */
  drawKey(hasFixed) {
    const { svg } = this;
    const [y, length] = [14, 90];
    const write = (/** @type {number} */ x, /** @type {string} */ text) => {
      add(svg, "text", { x: SIDE + x, y: y + 4, fill: INK }, text);
    };
    const shades = add(add(svg, "defs", {}), "linearGradient", { id: "bd-shades" });
    SHADES.forEach((colour, n) => add(shades, "stop", { offset: n / (SHADES.length - 1), "stop-color": colour }));
    write(0, "kept: 0 %");
    add(svg, "rect", { x: SIDE + 52, y: y - 5, width: length, height: 10, rx: 2, fill: "url(#bd-shades)" });
    write(58 + length, "100 %");
    add(svg, "circle", { cx: SIDE + 204, cy: y, r: 5, fill: INK });
    write(213, "writes");
    add(svg, "path", { d: `M${SIDE + 260},${y - 6}v12`, ...READER });
    write(267, "reads");
    if (!hasFixed) return;
    add(svg, "rect", { x: SIDE + 307, y: y - 3, width: 6, height: 6, fill: this.style.colours.original });
    write(318, "fixed");
  }

  /**
   * Where sections of the network begin, and their names as far as there is room.
   * @param {string[]} columns
   * @param {number} foot
   */
  drawSections(columns, foot) {
    const stroke = this.style.colours.original;
    for (const { first, length, name } of sectionsOf(columns, this.pitch)) {
      const left = SIDE + first * this.pitch;
      add(this.svg, "path", { d: `M${left},${TOP - 8}V${foot + 16}`, stroke, "stroke-opacity": 0.3 });
      if (!fits(name, length * this.pitch)) continue;
      add(this.svg, "text", { x: left + 4, y: foot + 14, fill: INK, "fill-opacity": 0.75 }, name);
    }
  }

  /**
   * @param {Lane} lane
   * @returns {DrawnLane}
   */
  drawFixed(lane) {
    const group = add(this.svg, "g", { class: "bd-lane" });
    const [x, y] = [this.x(lane.first) - 3, this.y(lane.row) - 3];
    add(group, "rect", { x, y, width: 6, height: 6, fill: this.style.colours.original });
    return { lane, group, width: 0, core: null, marks: [], share: null };
  }

  /**
   * @param {Lane} lane
   * @param {DialTable} table
   * @param {number} mostFilters of any layer
   * @returns {DrawnLane}
   */
  drawLane(lane, table, mostFilters) {
    const group = add(this.svg, "g", { class: "bd-lane" });
    const filters = Math.max(...lane.layers.map((l) => table.totals[l]));
    const width = Math.max(3, 0.5 * this.line * Math.sqrt(filters / mostFilters));
    const y = this.y(lane.row);
    const ends = { x1: this.x(lane.first), x2: this.x(lane.last), y1: y, y2: y };
    add(group, "line", { ...ends, stroke: this.style.colours.removed, "stroke-width": width });
    const core = add(group, "line", { ...ends, stroke: "currentColor" });
    const ticks = lane.readers.map((column) => `M${this.x(column)},${y - width / 2 - 2}v${width + 4}`).join("");
    add(group, "path", { d: ticks, ...READER, fill: "none" });
    const r = Math.min(Math.max(3, width / 2 + 1.5), 0.45 * this.pitch, 0.45 * this.line);
    const circle = { cy: y, r, fill: "currentColor", stroke: PAPER, "stroke-width": 1 };
    const marks = lane.writers.map((column) => add(group, "circle", { cx: this.x(column), ...circle }));
    return { lane, group, width, core, marks, share: null };
  }

  /**
   * Show another network; only what changes is touched.
   * @param {DialTable} table
   * @param {number} row
   */
  move(table, row) {
    for (const drawn of this.lanes) {
      const { lane, core } = drawn;
      if (!core) continue;
      const share = keptShare(table, lane, row);
      if (share !== drawn.share) {
        drawn.share = share;
        drawn.group.style.color = shadeOf(share);
        core.setAttribute("stroke-width", String(share * drawn.width));
      }
      lane.layers.forEach((l, n) => {
        const { style } = drawn.marks[n];
        const layerShare = table.kept[row][l] / table.totals[l];
        const colour = layerShare === share ? "" : shadeOf(layerShare); // a layer may hold only some of the lane's units
        if (style.color !== colour) style.color = colour;
      });
    }
  }

  /**
   * The drawing as a file: on white, with colours that do not depend on the theme.
   * @returns {Drawing}
   */
  toFile() {
    const { width, height, style } = this;
    const copy = /** @type {SVGElement} */ (this.svg.cloneNode(true));
    copy.classList.remove("bd-has-chosen");
    copy.setAttribute("xmlns", SVG);
    copy.setAttribute("font-family", "sans-serif");
    copy.prepend(add(copy, "rect", { width, height, fill: style.paper }));
    return { width, height, text: copy.outerHTML.replaceAll(INK, style.ink).replaceAll(PAPER, style.paper) };
  }
}
