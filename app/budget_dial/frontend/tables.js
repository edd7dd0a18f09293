// What the charts show, as rows of a file.

/** @import { CardData, Cell, DialTable } from "./types" */
import { safeCell } from "./text.js";

/**
 * Filters of each layer of a network.
 * @param {DialTable} table
 * @param {number} row
 * @returns {Cell[][]}
 */
export function layerRows(table, row) {
  const times = table.layer_times[row];
  const rows = table.layers.map((name, l) => [
    name,
    table.kept[row][l],
    table.totals[l],
    Math.round((1000 * table.layer_macs[row][l]) / table.macs[row]) / 1000,
    ...(times ? [Number(times[l].toPrecision(4))] : []),
  ]);
  return [["layer", "kept", "total", "macs_share", ...(times ? ["predicted_ms"] : [])], ...rows];
}

/**
 * Filters of a layer, the first to leave first. What a pin removes has left below 100 % of the MACs, what stays below 0.
 * @param {CardData} card
 * @returns {Cell[][]}
 */
export function filterRows({ numbers, norms, own, scores, gone_below }) {
  const rows = numbers.map((number, n) => [number, norms[n], own[n], scores[n], gone_below[n] ?? 100]);
  return [["filter", "squared_norm", "own_score", "score", "gone_below_percent"], ...rows];
}

/**
 * Rows as comma-separated values.
 * @param {Cell[][]} rows
 */
export function toCsv(rows) {
  const quoted = (/** @type {string} */ text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map((cell) => quoted(safeCell(cell))).join(",")}\n`).join("");
}
