// What the charts show, as rows of a file.

/** @import { Cell, DialTable, FrontierData } from "./types" */
import { safeCell } from "./text.js";

/**
 * Filters of each layer of a network.
 * @param {DialTable} table
 * @param {number} row
 * @returns {Cell[][]}
 */
export function layerRows(table, row) {
  const rows = table.layers.map((name, l) => [
    name,
    table.kept[row][l],
    table.totals[l],
    table.macs_permille[row][l] / 1000,
  ]);
  return [["layer", "kept", "total", "macs_share"], ...rows];
}

/**
 * Every measured network of a frontier, with all that is known of it.
 * @param {FrontierData} frontier
 * @returns {Cell[][]}
 */
export function frontierRows({ networks }) {
  const header = [
    "ranking",
    "macs_percent",
    "macs_millions",
    "params_thousands",
    "latency_ms",
    "top1_before_percent",
    "top1_after_percent",
  ];
  const { ranking, percent, macs, params, latency, before, after } = networks;
  return [
    header,
    ...percent.map((_, n) => [ranking[n], percent[n], macs[n], params[n], latency[n], before[n], after[n]]),
  ];
}

/**
 * Rows as comma-separated values.
 * @param {Cell[][]} rows
 */
export function toCsv(rows) {
  const quoted = (/** @type {string} */ text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map((cell) => quoted(safeCell(cell))).join(",")}\n`).join("");
}
