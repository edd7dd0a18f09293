// The upper half of the dial: the slider, the number beside it, the quantity of the budget, and the figures.

/** @import { DialState, QuantityName } from "./types" */
import { fillSwitch, find, setText } from "./dom.js";
import { figuresOf, networkFigures } from "./figures.js";
import { DASH } from "./numbers.js";
import { QUANTITIES, availableQuantities, extremes } from "./quantities.js";
import { shownNetwork } from "./shown.js";

/**
 * What the user did.
 * @typedef {object} ControlsHandlers
 * @property {(row: number) => void} onMove the slider stands at another row
 * @property {() => void} onRelease the pointer let go of the slider
 * @property {() => void} onLetGo the pointer has let go, after all else that this caused
 * @property {() => void} onKeys a key moved the slider; another may follow
 * @property {(limit: number) => void} onLimit a number was typed; NaN: the field was emptied
 * @property {(quantity: QuantityName) => void} onQuantity
 * @property {() => void} onCompare
 */

const THUMB_PX = 16; // width of the slider's thumb
const PAGE_PART = 20; // Page Up moves by this part of the slider, whatever the browser would do

export class Controls {
  /**
   * @param {HTMLElement} root
   * @param {DialState} state
   * @param {ControlsHandlers} handlers
   */
  constructor(root, state, handlers) {
    this.state = state;
    this.slider = find(root, ".bd-range", HTMLInputElement);
    this.entry = find(root, ".bd-entry input", HTMLInputElement);
    this.atMost = find(root, ".bd-at-most", HTMLElement);
    this.unit = find(root, ".bd-unit", HTMLElement);
    this.quantities = find(root, ".bd-by", HTMLElement);
    this.compare = find(root, ".bd-compare", HTMLButtonElement);
    this.message = find(root, ".bd-message", HTMLElement);
    this.note = find(root, ".bd-note", HTMLElement);
    this.figures = find(root, ".bd-figures", HTMLElement);
    this.held = find(root, ".bd-held", HTMLElement);
    this.ends = root.querySelectorAll(".bd-ends span");
    this.handlers = handlers;
    this.isTyping = false;
    this.isPressed = false; // the pointer holds the slider
    this.listenToSlider();
    this.entry.oninput = () => (this.isTyping = true);
    this.entry.onblur = () => (this.isTyping = false);
    this.entry.onchange = () => {
      this.isTyping = false;
      handlers.onLimit(this.entry.valueAsNumber);
    };
    this.compare.onclick = () => handlers.onCompare();
  }

  listenToSlider() {
    const { slider, handlers, state } = this;
    slider.onpointerdown = () => this.press();
    slider.oninput = () => handlers.onMove(Number(slider.value));
    slider.onchange = () => {
      if (this.isPressed) handlers.onRelease();
      else handlers.onKeys();
    };
    slider.onkeydown = (event) => {
      if (event.key !== "PageUp" && event.key !== "PageDown") return;
      event.preventDefault();
      const page = Math.max(1, Math.round(Number(slider.max) / PAGE_PART));
      handlers.onMove(state.row + (event.key === "PageUp" ? page : -page));
      handlers.onKeys();
    };
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

  /** Take over new data. */
  show() {
    const { data, quantity } = this.state;
    const options = availableQuantities(data.table).map(
      (name) => /** @type {[string, string]} */ ([name, QUANTITIES[name].caption]),
    );
    fillSwitch(this.quantities, "by", options, quantity, (name) => {
      this.handlers.onQuantity(/** @type {QuantityName} */ (name));
    });
    this.slider.max = String(data.table.macs.length - 1);
    this.update();
  }

  /** Show the slider's network, or the one that is open in its place. */
  update() {
    const { data, quantity, comparedPercent, opened } = this.state;
    const { table } = data;
    const shown = shownNetwork(this.state);
    const { at, show, unit, larger } = QUANTITIES[quantity];
    this.slider.value = String(this.state.row);
    setText(this.note, opened?.note ?? data.note);
    this.placeHeld();
    setText(this.atMost, larger ? "at most" : "at least");
    setText(this.unit, unit);
    const value = at(shown.table, shown.row);
    if (!this.isTyping) this.entry.value = value === null ? "" : show(value);
    const comparing = comparedPercent === null ? null : `Compared with ${comparedPercent.toFixed(2)} % — stop`;
    setText(this.compare, comparing ?? "Hold this budget to compare");
    this.compare.disabled = Boolean(opened) && !comparing; // its budget leads to another network
    this.updateFigures();
    const [smallest, largest] = extremes(table, quantity) ?? [0, 0];
    const isOriginal = table.macs[table.macs.length - 1] === data.original.macs;
    setText(this.ends[0], `smallest: ${show(smallest)} ${unit}`);
    setText(this.ends[1], `${isOriginal ? "original" : "largest"}: ${show(largest)} ${unit}`);
  }

  /** Mark the budget compared with on the slider. */
  placeHeld() {
    const { data, comparedRow } = this.state;
    this.held.hidden = comparedRow === null;
    const part = (comparedRow ?? 0) / Math.max(1, data.table.macs.length - 1);
    this.held.style.left = `calc(${THUMB_PX / 2}px + ${part} * (100% - ${THUMB_PX}px))`;
  }

  updateFigures() {
    const { data, comparedRow } = this.state;
    const { table, row } = shownNetwork(this.state);
    const other = comparedRow === null ? data.original : networkFigures(table, comparedRow);
    const figures = figuresOf(table, row, other, data.charts !== null);
    const known = figures.filter(({ value }) => value !== DASH).map(({ caption, value }) => `${caption} ${value}`);
    this.slider.setAttribute("aria-valuetext", `${table.percent[row]} % of the MACs: ${known.join(", ")}`);
    if (this.figures.childElementCount !== figures.length) {
      const item = "<div><dt></dt><dd></dd><dd><span></span> <small></small></dd></div>";
      this.figures.innerHTML = item.repeat(figures.length);
    }
    figures.forEach(({ caption, value, difference, lessIsBetter, remark, unknown }, n) => {
      const [term, figure, below] = this.figures.children[n].children;
      const against = find(below, "span", HTMLElement);
      setText(term, caption);
      const isKnown = value !== DASH;
      figure.classList.toggle("bd-unknown", !isKnown);
      setText(figure, isKnown ? value : unknown);
      setText(against, difference);
      setText(find(below, "small", HTMLElement), remark);
      const kind = !difference ? "" : difference.startsWith("−") === lessIsBetter ? "good" : "bad";
      if (against.dataset.kind !== kind) against.dataset.kind = kind;
    });
  }

  /**
   * Tell the user something; an empty text takes it back.
   * @param {string} text
   */
  say(text) {
    setText(this.message, text);
  }
}
