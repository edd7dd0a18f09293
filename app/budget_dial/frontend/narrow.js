// The layout of a chart that Python has made whole, in a narrow window: what it says in `meta.narrow` counts there.

/** @import { WholeLayout } from "./types" */

const NARROW_PX = 560; // width of a chart

/** @param {number} width of a chart, pixels; 0: it is not shown yet */
export function isNarrow(width) {
  return width > 0 && width < NARROW_PX;
}

/**
 * @param {WholeLayout} layout
 * @param {number} width of the chart, pixels
 * @returns {WholeLayout}
 */
export function layoutFor(layout, width) {
  const shown = { ...layout };
  for (const [name, part] of Object.entries((isNarrow(width) && layout.meta?.narrow) || {})) {
    const isPart = typeof part === "object" && !Array.isArray(part);
    shown[name] = isPart ? { .../** @type {object} */ (layout[name]), ...part } : part;
  }
  return shown;
}
