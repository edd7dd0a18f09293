// The slider with its marks: networks that were trained and measured, the held one, and the parts of which nothing is known.

/** @import { ControlsHandlers } from "./controls.js" */
/** @import { DialState, LossBand } from "./types" */
import { find } from "./dom.js";
import { inPoints } from "./losses.js";
import { trainedRows } from "./no_gain.js";
import { rowMeant } from "./ticks.js";

const THUMB_PX = 16; // width of the slider's thumb
const PLACES = 10_000; // of the range element, from its left end to its right one
const PAGE_PART = 20; // Page Up moves by this part of the networks, whatever the browser would do

export class Slider {
  /**
   * @param {HTMLElement} root
   * @param {DialState} state
   * @param {ControlsHandlers} handlers
   */
  constructor(root, state, handlers) {
    this.state = state;
    this.handlers = handlers;
    this.range = find(root, ".bd-range", HTMLInputElement);
    this.marks = find(root, ".bd-marks", HTMLElement);
    this.held = find(root, ".bd-held", HTMLElement);
    /** @type {HTMLElement | null} */
    this.fill = null;
    this.isPressed = false; // the pointer holds the slider
    this.range.onpointerdown = () => this.press();
    this.range.oninput = () => handlers.onMove(this.rowInHand());
    this.range.onchange = () => {
      if (this.isPressed) handlers.onRelease();
      else handlers.onKeys();
    };
    this.range.onkeydown = (event) => this.takeKey(event);
  }

  /** The network that the thumb was put at. */
  rowInHand() {
    const { range, state } = this;
    const width = range.clientWidth - THUMB_PX;
    return rowMeant(state.scale, trainedRows(state.data.table), Number(range.value) / PLACES, width);
  }

  /**
   * Each key goes from network to network, however near they stand to each other.
   * @param {KeyboardEvent} event
   */
  takeKey(event) {
    const { row, data } = this.state;
    const last = data.table.macs.length - 1;
    const page = Math.max(1, Math.round(last / PAGE_PART));
    /** @type {{ [key: string]: number }} */
    const rows = {
      ArrowLeft: row - 1,
      ArrowDown: row - 1,
      ArrowRight: row + 1,
      ArrowUp: row + 1,
      PageDown: row - page,
      PageUp: row + page,
      Home: 0,
      End: last,
    };
    if (!(event.key in rows) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.handlers.onMove(rows[event.key]);
    this.handlers.onKeys();
  }

  /** The pointer takes the slider, and lets go of it somewhere on the page or outside of it. */
  press() {
    this.isPressed = true;
    const ends = ["pointerup", "pointercancel", "blur"];
    const letGo = () => {
      ends.forEach((end) => window.removeEventListener(end, letGo));
      setTimeout(() => {
        this.isPressed = false; // the slider's own change comes before
        this.handlers.onLetGo();
      });
    };
    ends.forEach((end) => window.addEventListener(end, letGo));
  }

  /**
   * Draw what does not depend on the slider.
   * @param {LossBand | null} loss the networks without loss
   */
  drawMarks(loss) {
    const { scale, data } = this.state;
    const { places } = scale;
    const from = (/** @type {number} */ place) => `calc(${THUMB_PX / 2}px + ${place} * (100% - ${THUMB_PX}px))`;
    const part = (/** @type {number} */ start, /** @type {number} */ stop, /** @type {string} */ name) => {
      const width = `calc(${stop - start} * (100% - ${THUMB_PX}px))`;
      return Object.assign(document.createElement("i"), {
        className: name,
        style: `left:${from(start)};width:${width}`,
      });
    };
    this.fill = part(0, 1, "bd-fill");
    const ticks = trainedRows(data.table).map((row) =>
      Object.assign(document.createElement("i"), { className: "bd-tick", style: `left:${from(places[row])}` }),
    );
    const band = loss ? [part(places[loss.row], places[loss.last], "bd-band")] : [];
    const unknown = scale.unknown.map(([start, stop]) => part(start, stop, "bd-no-data"));
    this.marks.replaceChildren(part(0, 1, "bd-track"), this.fill, ...unknown, ...band, ...ticks);
    const known = loss ? `green: trained networks within ${inPoints(loss.points)} points of the original` : "";
    const words = [ticks.length ? "Ticks: trained networks" : "", known, unknown.length ? "hatched: not measured" : ""];
    this.range.title = words.filter(Boolean).join("; ");
    this.update();
  }

  /** Put the thumb, and the mark of the held network, where they stand. */
  update() {
    const { scale, row, comparedRow } = this.state;
    const value = String(Math.round(PLACES * scale.places[row]));
    if (this.range.value !== value) this.range.value = value;
    if (this.fill) this.fill.style.transform = `scaleX(${scale.places[row]})`;
    this.held.hidden = comparedRow === null;
    const place = comparedRow === null ? 0 : scale.places[comparedRow];
    this.held.style.left = `calc(${THUMB_PX / 2}px + ${place} * (100% - ${THUMB_PX}px))`;
  }
}
