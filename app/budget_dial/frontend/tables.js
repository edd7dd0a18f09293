// What the charts show, as rows of a file.

/** @import { Cell, DialTable } from "./types" */
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
 * Rows as comma-separated values.
 * @param {Cell[][]} rows
 */
export function toCsv(rows) {
  const quoted = (/** @type {string} */ text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map((cell) => quoted(safeCell(cell))).join(",")}\n`).join("");
}
