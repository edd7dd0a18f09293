// The budgets that gain no time: networks that are no faster than larger ones.

/** @import { DialTable, NetworkFigures, SlowPart } from "./types" */
import { threeDigits } from "./numbers.js";
import { isPredicted } from "./quantities.js";

const WIDEST_PERCENT = 3; // per cent of the MACs, that may gain no time without a word
const NO_FASTER = 0.99; // of a larger network's predicted time; above it a network is no faster

/**
 * The parts of a table in which fewer MACs take no less time, from the largest networks on.
 *
 * As predicted, they may be anywhere. As measured, there is one at most, which begins at the original: from the smallest
 * network that was measured to be no faster, without a faster one above it.
 * @param {DialTable} table
 * @param {NetworkFigures} original
 * @returns {SlowPart[]}
 */
export function noGain(table, original) {
  if (isPredicted(table)) return predictedParts(table);
  if (original.latency === null) return [];
  const last = table.macs.length - 1;
  /** @type {number[]} */
  const measured = [];
  for (let row = last; row >= 0; row--) {
    const latency = table.latency[row];
    if (latency === null || latency < original.latency) break;
    if (table.latency_measured[row] && table.macs_percent[row] < 100) measured.unshift(row);
  }
  return measured.length ? [{ first: measured[0], last, measured }] : [];
}

/** @param {DialTable} table */
function predictedParts({ predicted, macs_percent }) {
  const times = predicted.map(Number);
  /** @type {SlowPart[]} */
  const parts = [];
  let last = times.length - 1;
  while (last > 0) {
    const faster = times.findLastIndex((time, row) => row < last && time < NO_FASTER * times[last]);
    const first = faster + 1;
    const isWide = macs_percent[last] - macs_percent[first] >= WIDEST_PERCENT;
    if (isWide) parts.push({ first, last, measured: [] });
    last = isWide ? faster : times.findLastIndex((time, row) => row < last && time < times[last]);
  }
  return parts;
}

/**
 * Why such a part gains no time, as far as is known.
 * @param {DialTable} table
 * @param {number | null} originalLatency milliseconds
 * @param {SlowPart} part
 */
export function noGainWords(table, originalLatency, part) {
  const percent = (/** @type {number} */ row) => `${Math.round(table.macs_percent[row])} %`;
  if (!part.measured.length) return `No time is gained here\n${slowWords(table, [part])}`;
  const each = part.measured.map((row) => `${threeDigits(table.latency[row] ?? 0)} ms at ${percent(row)}`);
  return (
    `No time is gained here\nFrom ${percent(part.first)} of the MACs up no measured network is faster than the original ` +
    `(${threeDigits(originalLatency ?? 0)} ms): ${each.join(", ")}. Time also depends on the channel counts that are left.`
  );
}

/**
 * The predicted parts in one sentence; "": there is none.
 * @param {DialTable} table
 * @param {SlowPart[]} parts
 */
export function slowWords({ macs_percent }, parts) {
  if (!parts.length) return "";
  const each = parts.map(
    ({ first, last }) => `from ${Math.round(macs_percent[last])} to ${Math.round(macs_percent[first])} %`,
  );
  const listed = each.length < 2 ? each[0] : `${each.slice(0, -1).join(", ")} and ${each[each.length - 1]}`;
  return `F${listed.slice(1)} of the MACs the network gets no faster: channel counts that this device is slow at.`;
}

/**
 * The rows of a table whose network was trained and measured. The whole one is none of them: it is no choice to make.
 * @param {DialTable} table
 */
export function trainedRows(table) {
  const isTrained = (/** @type {number} */ row) =>
    table.after[row] !== null && table.after_measured[row] && table.macs_percent[row] < 100;
  return table.macs.flatMap((_, row) => (isTrained(row) ? [row] : []));
}
