// The marks of the frontier: the network of the slider, and the one compared with.

/** @import { DialTable, FrontierOptions, FrontierRanges } from "./types" */
import { offTheLine, plusMinus } from "./figures.js";
import { heightOf } from "./frontier_points.js";

/** @typedef {"before" | "after"} Top1 accuracy before or after fine-tuning */

/**
 * Cost of a network of the table, in the unit of an axis.
 * @param {DialTable} table
 * @param {number} row
 * @param {string} axis
 */
export function tableCost(table, row, axis) {
  if (axis === "latency") return table.latency[row] ?? table.predicted[row];
  return axis === "macs" ? table.macs[row] / 1e6 : table.params[row] / 1e3;
}

/**
 * The accuracies of a network of the table, and what the pointer shows of each. Of what was measured, a point tells.
 * @param {DialTable} table
 * @param {number} row
 * @param {string} name
 * @returns {[number, string][]}
 */
export function markWords(table, row, name) {
  const words = { before: "as cut", after: table.after_together[row] ? "trained together" : "trained" };
  const names = /** @type {Top1[]} */ (["before", "after"]);
  return names.flatMap((which) => {
    const top1 = table[which][row];
    const title = `${name}: ${table.stated[row]} % of the MACs`;
    if (top1 === null || table[`${which}_measured`][row]) return [];
    const off = which === "after" ? plusMinus(offTheLine(table, row)) : "";
    const value = `${(100 * top1).toFixed(1)} %${off && ` ${off}`}`;
    return [[top1, `${title}\nabout ${value}, ${words[which]}`]];
  });
}

/**
 * The marks of the slider's network: a line at its cost, another for the gain of fine-tuning, and its two accuracies.
 *
 * What is not known is drawn too, somewhere, and hidden by `move`: it may be known at the next budget.
 * @param {DialTable} table
 * @param {number} row
 * @param {string} color
 * @param {FrontierRanges} shown
 * @param {FrontierOptions} options
 */
export function markTraces(table, row, color, { x: ranges, y: range }, options) {
  const x = tableCost(table, row, options.axis) ?? ranges[options.axis][0];
  const up = (/** @type {number} */ percent) => heightOf(percent, options.error);
  const shared = { showlegend: false, hoverinfo: "skip" };
  const line = (/** @type {string} */ uid, /** @type {number[]} */ y, /** @type {object} */ style) => {
    return { ...shared, uid, x: [x, x], y: y.map(up), mode: "lines", line: { color, ...style } };
  };
  const mark = (/** @type {Top1} */ which, /** @type {object} */ marker) => {
    const y = [up(100 * (table[which][row] ?? range[0] / 100))];
    return { ...shared, uid: which, x: [x], y, mode: "markers", marker: { color, ...marker, line: { width: 3 } } };
  };
  return [
    line("budget", range, { width: 1, dash: "dot" }),
    { ...line("gain", [range[0], range[0]], { width: 7 }), opacity: 0.35 },
    { ...mark("before", { size: 14, symbol: "circle-open" }), name: "This budget" },
    { ...mark("after", { size: 18, symbol: "circle-open" }), name: "This budget, trained" },
  ];
}

/**
 * The accuracies of the network compared with, hollow; none where they or its cost are not known.
 * @param {DialTable} table
 * @param {number | null} row
 * @param {string} color
 * @param {FrontierOptions} options
 */
export function heldTraces(table, row, color, options) {
  const cost = row === null ? null : tableCost(table, row, options.axis);
  if (row === null || cost === null) return [];
  const held = /** @type {Top1[]} */ (["before", "after"]).filter((name) => table[name][row] !== null);
  return held.map((name, n) => ({
    x: [cost],
    y: [heightOf(100 * (table[name][row] ?? 0), options.error)],
    name: "Compared with",
    uid: `held-${name}`,
    text: [n === held.length - 1 ? "held" : ""],
    textposition: "top center",
    hoverinfo: "skip",
    mode: "markers+text",
    marker: { symbol: "diamond-open", size: 13, color, line: { width: 2 } },
  }));
}

/**
 * Set attributes of a mark; false hides it.
 * @param {SVGElement | null | undefined} element
 * @param {{ [name: string]: string } | false} attributes
 */
export function placeMark(element, attributes) {
  if (!element) return;
  element.style.display = attributes ? "" : "none";
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
}
