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
 * Every measured network of a frontier.
 * @param {FrontierData} frontier
 * @returns {Cell[][]}
 */
export function frontierRows({ rows, layout }) {
  const header = ["series", "ranking", "macs_percent", layout.xaxis.title.text, "top1_percent"];
  return [header, ...rows.map((row) => [row.series, row.ranking, row.percent, row.x, row.top1_percent])];
}

/**
 * Rows as comma-separated values.
 * @param {Cell[][]} rows
 */
export function toCsv(rows) {
  const quoted = (/** @type {string} */ text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map((cell) => quoted(safeCell(cell))).join(",")}\n`).join("");
}
