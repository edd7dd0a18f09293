// A tour for a stage: with `present` in the address a room sees the answer alone, and P plays a minute of it.

/** @import { Dial } from "./dial.js" */
import { rowOfBudget } from "./quantities.js";
import { TOUR_S, budgetsOf, layerOfTour, momentAt } from "./tour_scenes.js";

const TOUCHES = ["pointerdown", "wheel", "keydown", "touchstart"];

export class Tour {
  /** @param {Dial} dial */
  constructor(dial) {
    this.dial = dial;
    /** @type {number | null} the next frame; null: it does not play */
    this.frame = null;
    this.isPresented = new URLSearchParams(location.search).has("present");
    this.onKey = (/** @type {KeyboardEvent} */ event) => {
      const isTyped =
        event.target instanceof Element && event.target.matches("input:not([type=range]), textarea, select");
      if (event.key.toLowerCase() === "p" && !isTyped && !event.ctrlKey && !event.metaKey && !event.altKey) this.play();
    };
    this.onTouch = () => this.stop();
    document.body.classList.toggle("bd-presented", this.isPresented);
    if (this.isPresented) window.addEventListener("keydown", this.onKey);
  }

  /** Begin, or begin again. */
  play() {
    this.stop();
    const { state } = this.dial;
    if (!state.data.charts) return;
    const { table } = state.data;
    const budgets = budgetsOf(table);
    const layer = layerOfTour(table, rowOfBudget(table, budgets.goal), rowOfBudget(table, budgets.less));
    const begun = performance.now();
    const step = (/** @type {number} */ now) => {
      const seconds = (now - begun) / 1000;
      const { percent, lens, hasCard } = momentAt(seconds, budgets);
      if (state.charts.lens !== lens) this.dial.choose({ lens });
      if ((state.charts.layer !== "") !== hasCard) this.dial.choose({ layer: hasCard ? layer : "" });
      this.dial.moveTo(rowOfBudget(state.data.table, percent));
      if (seconds < TOUR_S && !document.hidden) this.frame = requestAnimationFrame(step);
      else this.stop();
    };
    this.frame = requestAnimationFrame(step);
    // Only from now on: the key that began it is no touch.
    setTimeout(() => TOUCHES.forEach((touch) => window.addEventListener(touch, this.onTouch, { capture: true })));
  }

  /** Rest where it is, and tell Python. */
  stop() {
    TOUCHES.forEach((touch) => window.removeEventListener(touch, this.onTouch, { capture: true }));
    if (this.frame === null) return;
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.dial.reporter.reportAfter(0);
  }

  close() {
    this.stop();
    window.removeEventListener("keydown", this.onKey);
    document.body.classList.remove("bd-presented");
  }
}
