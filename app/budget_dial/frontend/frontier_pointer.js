// The pointer on the frontier: it tells of all points near it, a click goes to the nearest, a drag lists a region.

/** @import { Place, PlotlyChart } from "./types" */
import { clamp } from "./dom.js";
import { nearby, placesWithin } from "./frontier_points.js";
import { keepUnits } from "./text.js";

const NEAR_PX = 12;
const DRAG_PX = 5; // less is a click
const MOST_TOLD = 4; // points in one box

/**
 * @typedef {object} PointerHandlers
 * @property {() => Place[]} places of everything that can be met
 * @property {(x: number) => string} about what is to say of a spot without points; "": nothing
 * @property {(network: number) => void} onOpen
 * @property {(networks: number[]) => void} onMeet the pointer is near these
 * @property {(networks: number[]) => void} onBrush
 */

export class FrontierPointer {
  /**
   * @param {PlotlyChart} chart
   * @param {PointerHandlers} handlers
   */
  constructor(chart, handlers) {
    this.chart = chart;
    this.handlers = handlers;
    this.tip = Object.assign(document.createElement("div"), {
      className: "bd-tip bd-told",
      role: "status",
      hidden: true,
    });
    this.region = Object.assign(document.createElement("div"), { className: "bd-region", hidden: true });
    chart.after(this.tip, this.region);
    /** @type {[number, number] | null} where the button was pressed */
    this.pressed = null;
    this.isDragging = false;
    chart.addEventListener("pointermove", (event) => this.follow(event));
    chart.addEventListener("pointerleave", () => this.leave());
    chart.addEventListener("pointerdown", (event) => this.press(event));
    chart.addEventListener("pointerup", (event) => this.release(event));
    chart.addEventListener("pointercancel", () => this.letGo());
  }

  /**
   * Where an event is on the chart, in pixels.
   * @param {PointerEvent} event
   * @returns {[number, number]}
   */
  spotOf({ clientX, clientY }) {
    const { left, top } = this.chart.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  /** @param {PointerEvent} event */
  follow(event) {
    const spot = this.spotOf(event);
    if (
      this.pressed &&
      (this.isDragging || Math.hypot(spot[0] - this.pressed[0], spot[1] - this.pressed[1]) > DRAG_PX)
    ) {
      this.isDragging = true;
      this.tell(0, 0, []);
      this.showRegion(this.pressed, spot);
      return;
    }
    const near = nearby(this.handlers.places(), ...spot, NEAR_PX);
    this.chart.style.cursor = near.some(({ network }) => network !== null) ? "pointer" : "crosshair";
    const about = near.length ? "" : this.handlers.about(spot[0]);
    this.tell(...spot, about ? [about] : near.map(({ told }) => told));
    this.handlers.onMeet(networksOf(near));
  }

  leave() {
    this.tell(0, 0, []);
    this.handlers.onMeet([]);
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (event.button !== 0) return;
    this.hideRegion();
    this.pressed = this.spotOf(event);
    if (event.pointerType === "touch") return; // a finger scrolls the page; it lists networks by the button
    this.chart.setPointerCapture(event.pointerId);
    event.preventDefault(); // no text is selected
  }

  /** @param {PointerEvent} event */
  release(event) {
    const { pressed, isDragging } = this;
    this.letGo();
    if (!pressed) return;
    const spot = this.spotOf(event);
    const { places, onBrush, onOpen } = this.handlers;
    if (isDragging) {
      onBrush(networksOf(placesWithin(places(), pressed, spot)));
      return;
    }
    const met = nearby(places(), ...spot, NEAR_PX).find(({ network }) => network !== null);
    if (met && met.network !== null) onOpen(met.network);
  }

  letGo() {
    this.pressed = null;
    this.isDragging = false;
  }

  /**
   * Show texts in a box beside a spot; none hides it.
   * @param {number} x
   * @param {number} y
   * @param {string[]} texts
   */
  tell(x, y, texts) {
    const { tip, chart } = this;
    tip.hidden = !texts.length;
    if (!texts.length) return;
    const shown = texts.slice(0, MOST_TOLD).map((text) => {
      const part = document.createElement("div");
      const lines = keepUnits(text)
        .split("\n")
        .map((line) => Object.assign(document.createElement("div"), { textContent: line }));
      part.append(...lines);
      return part;
    });
    const rest = texts.length - shown.length;
    const more = rest > 0 ? `and ${rest} more: drag over them to list them` : "";
    tip.replaceChildren(
      ...shown,
      ...(more ? [Object.assign(document.createElement("div"), { textContent: more })] : []),
    );
    const isRight = x > chart.clientWidth / 2;
    const left = isRight ? x - tip.offsetWidth - 14 : x + 14;
    tip.style.left = `${chart.offsetLeft + clamp(0, left, Math.max(0, chart.clientWidth - tip.offsetWidth))}px`;
    const top = y + 14 + tip.offsetHeight > chart.clientHeight ? y - tip.offsetHeight - 10 : y + 14;
    tip.style.top = `${chart.offsetTop + top}px`;
  }

  /**
   * @param {[number, number]} corner
   * @param {[number, number]} opposite
   */
  showRegion(corner, opposite) {
    const { chart, region } = this;
    const [left, top] = corner.map((value, n) => Math.min(value, opposite[n]));
    const [width, height] = corner.map((value, n) => Math.abs(value - opposite[n]));
    region.hidden = false;
    region.style.left = `${chart.offsetLeft + left}px`;
    region.style.top = `${chart.offsetTop + top}px`;
    region.style.width = `${width}px`;
    region.style.height = `${height}px`;
  }

  hideRegion() {
    this.region.hidden = true;
  }
}

/**
 * The networks of places, each once.
 * @param {Place[]} places
 */
function networksOf(places) {
  return [...new Set(places.flatMap(({ network }) => (network === null ? [] : [network])))];
}
