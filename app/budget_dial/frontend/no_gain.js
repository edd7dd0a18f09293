// The budgets that gain no time: the networks next to the original that are no faster.

/** @import { DialTable } from "./types" */
import { threeDigits } from "./numbers.js";

/**
 * The rows of a table at whose networks fewer MACs take no less time: from the smallest that was measured to be no faster
 * than the original, without a faster one above it. Null: there is none, or the original was not timed.
 * @param {DialTable} table
 * @param {number | null} originalLatency milliseconds
 * @returns {{ first: number, measured: number[] } | null} the first row, and those that were measured
 */
export function noGain(table, originalLatency) {
  if (originalLatency === null) return null;
  /** @type {number[]} */
  const measured = [];
  for (let row = table.macs.length - 1; row >= 0; row--) {
    const latency = table.latency[row];
    if (latency === null || latency < originalLatency) break;
    if (table.latency_measured[row] && table.macs_percent[row] < 100) measured.unshift(row);
  }
  return measured.length ? { first: measured[0], measured } : null;
}

/**
 * Why those budgets gain no time, as far as the measurements say.
 * @param {DialTable} table
 * @param {number} originalLatency
 * @param {number[]} measured rows
 */
export function noGainWords(table, originalLatency, measured) {
  const percent = (/** @type {number} */ row) => `${Math.round(table.macs_percent[row])} %`;
  const each = measured.map((row) => `${threeDigits(table.latency[row] ?? 0)} ms at ${percent(row)}`);
  return (
    `No time is gained here\nFrom ${percent(measured[0])} of the MACs up no measured network is faster than the original ` +
    `(${threeDigits(originalLatency)} ms): ${each.join(", ")}. Time also depends on the channel counts that are left.`
  );
}

/**
 * The rows of a table whose network was trained and measured.
 * @param {DialTable} table
 */
export function trainedRows(table) {
  return table.macs.flatMap((_, row) => (table.after[row] !== null && table.after_measured[row] ? [row] : []));
}
