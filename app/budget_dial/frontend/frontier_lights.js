// Rings around the points of a network on the frontier, while its row in the list is pointed at.

/** @import { Place } from "./types" */

export class FrontierLights {
  /** @param {HTMLElement} chart */
  constructor(chart) {
    this.chart = chart;
    /** @type {HTMLElement[]} */
    this.rings = [];
  }

  /**
   * Show rings; of no places none.
   * @param {Place[]} places
   */
  show(places) {
    const { chart } = this;
    for (const ring of this.rings) ring.remove();
    this.rings = places.map(({ x, y }) => {
      const ring = Object.assign(document.createElement("i"), { className: "bd-light", ariaHidden: "true" });
      ring.style.left = `${chart.offsetLeft + x}px`;
      ring.style.top = `${chart.offsetTop + y}px`;
      return ring;
    });
    chart.after(...this.rings);
  }
}
