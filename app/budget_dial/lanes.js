// The map of what leaves together, in SVG of our own: layers from left to right, and a line for every set of layers whose
// filters leave together, as thick as they have filters and coloured by the share that is kept. It does not know the slider.
// `table.lanes`, as `app/dial.py` gives it: columns, the name of every layer; n_rows; lanes, see lane_words.js.

const SHADES = ["#e58a1f", "#d9675a", "#b0568f", "#7456ae", "#2a56bd"]; // none kept … all; apart for the colour-blind, too
const INK = "var(--st-text-color, #1c2430)"; // in a file, what stands behind the comma
const PAPER = "var(--st-background-color, #ffffff)";
const GREY = "#7d8794";
const [SIDE, TOP, BOTTOM] = [14, 40, 24]; // pixels around the rows

/** The colour of a share in [0, 1]. */
function shade(share) {
  const at = share * (SHADES.length - 1);
  const n = Math.min(Math.floor(at), SHADES.length - 2);
  const part = (colour, place) => parseInt(colour.slice(place, place + 2), 16);
  const mix = (place) => Math.round(part(SHADES[n], place) + (at - n) * (part(SHADES[n + 1], place) - part(SHADES[n], place)));
  return `rgb(${mix(1)}, ${mix(3)}, ${mix(5)})`;
}

function between(low, value, high) {
  return Math.max(low, Math.min(value, high));
}

function add(parent, tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

/** Lanes of layers that go together. */
class LaneMap {
  constructor(element) {
    const find = (selector) => element.querySelector(selector);
    Object.assign(this, { element, pane: find(".bd-pane"), tip: find(".bd-tip"), list: find("details") });
    this.listen();
  }

  /** Draw what does not depend on the budget, where it is another, and then what does. */
  settle(data, i, other) {
    const { table, colours } = data;
    const drawn = JSON.stringify([table.lanes, table.totals, this.pane.clientWidth]);
    Object.assign(this, { table, other, i });
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.draw(colours.removed);
    }
    this.move(i);
    this.svg.setAttribute("aria-label", lanesLabel(table, this.lanes, i));
    this.write();
  }

  draw(removed) {
    const { columns, n_rows: rows } = this.table.lanes;
    const room = this.pane.clientWidth - 2 * SIDE;
    const pitch = between(room < 600 ? 12 : 9, room / columns.length, 60); // what does not fit is scrolled to
    const line = between(12, Math.floor(330 / rows), 30);
    this.lanes = lanesOf(this.table);
    Object.assign(this, { pitch, line, chosen: null });
    const [width, height] = [2 * SIDE + columns.length * pitch, TOP + rows * line + BOTTOM].map(Math.ceil);
    this.pane.replaceChildren();
    this.svg = add(this.pane, "svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "font-size": 11 });
    this.x = (column) => SIDE + (column + 0.5) * pitch;
    this.y = (row) => TOP + (row + 0.5) * line;
    this.key();
    this.names(columns, TOP + rows * line);
    const widest = Math.max(...this.lanes.flatMap((lane) => lane.layers.map((l) => this.table.totals[l])), 1);
    for (const lane of this.lanes) {
      lane.group = add(this.svg, "g", { class: "bd-lane" });
      if (lane.fixed) this.drawFixed(lane);
      else this.drawLane(lane, widest, removed);
    }
    this.choose(null);
  }

  drawFixed({ group, first, row }) {
    add(group, "rect", { x: this.x(first) - 3, y: this.y(row) - 3, width: 6, height: 6, fill: GREY });
  }

  drawLane(lane, widest, removed) {
    const { group, layers, writers, readers, first, last, row } = lane;
    const y = this.y(row);
    const size = Math.sqrt(Math.max(...layers.map((l) => this.table.totals[l])) / widest);
    lane.width = Math.max(3, 0.5 * this.line * size);
    const ends = { x1: this.x(first), x2: this.x(last), y1: y, y2: y };
    add(group, "line", { ...ends, stroke: removed, "stroke-width": lane.width });
    lane.core = add(group, "line", { ...ends, stroke: "currentColor" });
    const ticks = readers.map((column) => `M${this.x(column)},${y - lane.width / 2 - 2}v${lane.width + 4}`).join("");
    add(group, "path", { d: ticks, stroke: INK, "stroke-width": 1.5, "stroke-opacity": 0.6, fill: "none" });
    const r = Math.min(Math.max(3, lane.width / 2 + 1.5), 0.45 * this.pitch, 0.45 * this.line);
    lane.marks = writers.map((column) =>
      add(group, "circle", { cx: this.x(column), cy: y, r, fill: "currentColor", stroke: PAPER, "stroke-width": 1 }),
    );
  }

  /** What colours and marks mean. */
  key() {
    const [from, y, length] = [SIDE, 14, 90];
    const text = (x, words) => add(this.svg, "text", { x, y: y + 4, fill: INK }, words);
    const shades = add(add(this.svg, "defs", {}), "linearGradient", { id: "bd-shades" });
    SHADES.forEach((colour, n) => add(shades, "stop", { offset: n / (SHADES.length - 1), "stop-color": colour }));
    text(from, "kept: 0 %");
    add(this.svg, "rect", { x: from + 52, y: y - 5, width: length, height: 10, rx: 2, fill: "url(#bd-shades)" });
    text(from + 58 + length, "100 %");
    add(this.svg, "circle", { cx: from + 204, cy: y, r: 5, fill: INK });
    text(from + 213, "writes");
    add(this.svg, "path", { d: `M${from + 260},${y - 6}v12`, stroke: INK, "stroke-width": 1.5, "stroke-opacity": 0.6 });
    text(from + 267, "reads");
    if (!this.lanes.some((lane) => lane.fixed)) return;
    add(this.svg, "rect", { x: from + 307, y: y - 3, width: 6, height: 6, fill: GREY });
    text(from + 318, "fixed");
  }

  /** Names of layers, as many as there is room for, and where their sections begin. */
  names(columns, foot) {
    for (const [first, length, name] of sections(columns, this.pitch)) {
      const left = SIDE + first * this.pitch;
      add(this.svg, "path", { d: `M${left},${TOP - 8}V${foot + 16}`, stroke: GREY, "stroke-opacity": 0.3 });
      if (fits(name, length * this.pitch)) add(this.svg, "text", { x: left + 4, y: foot + 14, fill: INK, "fill-opacity": 0.75 }, name);
    }
  }

  /** Colour what has changed; nothing else of the map depends on the budget. */
  move(i) {
    if (!this.lanes) return;
    const { table } = this;
    this.i = i;
    for (const lane of this.lanes) {
      if (lane.fixed) continue;
      const share = shareOf(table, lane, i);
      if (share !== lane.share) {
        lane.share = share;
        lane.group.style.color = shade(share);
        lane.core.setAttribute("stroke-width", share * lane.width);
      }
      lane.layers.forEach((l, n) => {
        const own = table.kept[i][l] / table.totals[l];
        const colour = own === share ? "" : shade(own); // only layers that share a part of their units
        if (lane.marks[n].style.color !== colour) lane.marks[n].style.color = colour;
      });
    }
    if (this.chosen) this.say();
  }

  // -- pointing at a lane ---------------------------------------------------------------------------------------

  listen() {
    const { pane, list } = this;
    const point = ({ clientX, clientY }) => {
      const box = this.svg.getBoundingClientRect();
      const [column, row] = [(clientX - box.x - SIDE) / this.pitch, Math.floor((clientY - box.y - TOP) / this.line)];
      const under = (lane) => lane.row === row && lane.first <= column && column <= lane.last + 1;
      this.choose(this.lanes?.find(under) ?? null, clientX - pane.getBoundingClientRect().x);
    };
    pane.onpointermove = pane.onpointerdown = point;
    pane.onpointerleave = (event) => event.pointerType === "mouse" && this.choose(null);
    pane.onblur = () => this.choose(null);
    pane.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, Escape: 0 }[event.key];
      if (step === undefined || !this.lanes?.length) return;
      event.preventDefault();
      const last = this.lanes.length - 1;
      const next = this.chosen ? between(0, this.lanes.indexOf(this.chosen) + step, last) : step < 0 ? last : 0;
      this.choose(step ? this.lanes[next] : null);
    };
    list.ontoggle = () => this.write();
  }

  /** Show what a lane is, and let the others step back; null: none. */
  choose(lane, x) {
    if (lane === this.chosen && lane) return;
    this.chosen = lane;
    this.svg?.classList.toggle("bd-chosen", lane !== null);
    for (const { group } of this.lanes ?? []) group.classList.toggle("bd-on", group === lane?.group);
    this.tip.hidden = lane === null;
    if (lane === null) return;
    this.say();
    const { pane, tip } = this;
    const middle = this.x((lane.first + lane.last) / 2);
    if (x === undefined) pane.scrollLeft = middle - pane.clientWidth / 2;
    tip.style.left = `${between(0, (x ?? middle - pane.scrollLeft) - tip.offsetWidth / 2, pane.clientWidth - tip.offsetWidth)}px`;
    tip.style.top = `${pane.offsetTop + this.y(lane.row) + this.line / 2 + 4}px`;
  }

  say() {
    const lines = laneLines(this.table, this.chosen, this.i, this.other);
    while (this.tip.childElementCount < lines.length) this.tip.append(document.createElement("div"));
    [...this.tip.children].forEach((line, n) => write(line, lines[n] ?? ""));
  }

  /** The same as a list, while it is open. */
  write() {
    if (!this.list.open || !this.lanes) return;
    const items = this.lanes.map((lane) => {
      const lines = laneLines(this.table, lane, this.i, this.other);
      return Object.assign(document.createElement("li"), { textContent: lines.join(". ") });
    });
    this.list.lastElementChild.replaceChildren(...items);
  }

  /** The drawing as a file has it: on white, with colours of its own. */
  picture() {
    const copy = this.svg.cloneNode(true);
    copy.classList.remove("bd-chosen");
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("font-family", "sans-serif");
    const [width, height] = ["width", "height"].map((name) => Number(copy.getAttribute(name)));
    copy.prepend(add(copy, "rect", { width, height, fill: "#ffffff" }));
    return { width, height, text: copy.outerHTML.replace(/var\(--[\w-]+, (#\w+)\)/g, "$1") };
  }
}
