// The quantities in which a budget can be given, and the search for the network that a budget leads to.

/** @import { DialTable, Quantity, QuantityName } from "./types" */
import { threeDigits } from "./numbers.js";

/**
 * Images that a network processes in a second; null where its latency is not known.
 * @param {DialTable} table
 * @param {number} row
 */
export function framesPerSecond(table, row) {
  const latency = table.latency[row];
  return latency === null ? null : (1000 * table.batch) / latency;
}

/** @type {Record<QuantityName, Quantity>} */
export const QUANTITIES = {
  macs: {
    caption: "MACs",
    unit: "% of the MACs",
    at: (table, row) => table.percent[row],
    cost: (table, row) => table.macs_percent[row],
    show: (value) => value.toFixed(2),
    larger: true,
  },
  params: {
    caption: "Parameters",
    unit: "million parameters",
    at: (table, row) => table.params[row] / 1e6,
    show: threeDigits,
    larger: true,
  },
  size: {
    caption: "Size",
    unit: "MB of weights",
    at: (table, row) => (4 * table.params[row]) / 1e6,
    show: threeDigits,
    larger: true,
  },
  latency: { caption: "Latency", unit: "ms", at: (table, row) => table.latency[row], show: threeDigits, larger: true },
  fps: { caption: "Frames", unit: "frames a second", at: framesPerSecond, show: threeDigits, larger: false },
};

/**
 * Quantities that are known of at least one network.
 * @param {DialTable} table
 */
export function availableQuantities(table) {
  const names = /** @type {QuantityName[]} */ (Object.keys(QUANTITIES));
  return names.filter((name) => extremes(table, name) !== null);
}

/**
 * The values of the smallest and of the largest network of which the quantity is known; null: of none.
 * @param {DialTable} table
 * @param {QuantityName} quantity
 * @returns {[number, number] | null}
 */
export function extremes(table, quantity) {
  const values = table.macs.map((_, row) => QUANTITIES[quantity].at(table, row)).filter((value) => value !== null);
  return values.length ? [values[0], values[values.length - 1]] : null;
}

/**
 * Row of the largest network within a limit; null where there is none.
 * @param {DialTable} table
 * @param {QuantityName} quantity
 * @param {number} limit
 */
export function rowWithin(table, quantity, limit) {
  const { at, cost = at, show, larger } = QUANTITIES[quantity];
  const fits = (/** @type {number | null} */ value) => value !== null && (larger ? value <= limit : value >= limit);
  for (let row = table.macs.length - 1; row >= 0; row--) {
    if (fits(cost(table, row))) return row;
  }
  // A user who types the smallest value as it is shown, so rounded, means the smallest network.
  const smallest = table.macs.findIndex((_, row) => at(table, row) !== null);
  const value = smallest < 0 ? null : at(table, smallest);
  return value !== null && fits(Number(show(value))) ? smallest : null;
}

/**
 * Row of the largest network within a budget of MACs; the smallest network where none is.
 * @param {DialTable} table
 * @param {number} percent of the original's MACs
 */
export function rowOfBudget(table, percent) {
  return Math.max(
    0,
    table.macs_percent.findLastIndex((cost) => cost <= percent + 1e-9),
  );
}

/**
 * What to tell a user whose limit no network keeps within.
 * @param {DialTable} table
 * @param {QuantityName} quantity
 * @param {string} remedy
 */
export function outOfReach(table, quantity, remedy) {
  const { at, unit, show, larger } = QUANTITIES[quantity];
  const smallest = extremes(table, quantity)?.[0] ?? 0;
  const measured = at(table, 0) === null ? "measured " : "";
  const needs = `${larger ? "needs" : "reaches"} ${show(smallest)} ${unit}`;
  return `Out of reach: this ranking's smallest ${measured}network ${needs}. ${remedy}`;
}
