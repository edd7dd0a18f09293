// The quantities in which a budget can be given, and the search for the network that a budget leads to.

/** @import { DialTable, NetworkFigures, Quantity, QuantityName } from "./types" */
import { formatCount, formatPercent, threeDigits, twoDecimals } from "./numbers.js";

/**
 * Whether the networks of a table have predicted latencies. One then steers by these, as they are known of all.
 * @param {DialTable} table
 */
export function isPredicted(table) {
  return table.predicted[0] !== null;
}

/**
 * Images that are processed in a second; null where the latency is not known.
 * @param {DialTable} table
 * @param {number | null} latency milliseconds
 */
export function framesPerSecond({ batch }, latency) {
  return latency === null ? null : (1000 * batch) / latency;
}

/**
 * The latency that one steers by: predicted, and where the device has no profile as it was measured.
 * @param {DialTable} table
 * @param {number} row
 */
export function steeringLatency(table, row) {
  return table.predicted[row] ?? table.latency[row];
}

/**
 * Whether the latency that one steers by is known of this very network.
 * @param {DialTable} table
 * @param {number} row
 */
export function hasLatency(table, row) {
  return isPredicted(table) || table.latency_measured[row];
}

/**
 * Top-1 of a network as trained, in [0, 1]: fine-tuned, together with all budgets, or whole; null where it is not known.
 * @param {DialTable} table
 * @param {number} row
 */
export function trainedTop1(table, row) {
  return table.after[row] ?? (isOriginal(table, row) ? table.before[row] : null);
}

/**
 * Whether a network is the original with its own images: with larger ones a network may cost more.
 * @param {DialTable} table
 * @param {number} row
 */
export function isOriginal({ macs_percent }, row) {
  return macs_percent[row] === 100;
}

/**
 * Whether that is known of this very network, and not read between two others.
 * @param {DialTable} table
 * @param {number} row
 */
export function hasTop1(table, row) {
  const isWhole = table.macs_percent[row] >= 100;
  return Boolean(table.after[row] === null && isWhole ? table.before_measured[row] : table.after_measured[row]);
}

/**
 * What parameters are counted in: millions, or thousands where the largest network has less than one.
 * @param {DialTable} table
 */
function paramsUnit(table) {
  return table.params[table.params.length - 1] >= 1e6 ? 1e6 : 1e3;
}

/** @param {number} value */
const withTwoDecimals = (value) => value.toFixed(2);

/** @type {Record<QuantityName, Quantity>} */
export const QUANTITIES = {
  macs: {
    caption: "MACs",
    unit: () => "% of the MACs",
    at: (table, row) => table.stated[row],
    cost: (table, row) => table.macs_percent[row],
    all: ({ macs_percent }) => Math.max(100, macs_percent[macs_percent.length - 1]),
    show: withTwoDecimals,
    words: (table, row) => `${formatPercent(table.macs_percent[row])}, ${formatCount(table.macs[row])} MACs`,
    larger: true,
    bound: "at most",
  },
  params: {
    caption: "Parameters",
    unit: (table) => (paramsUnit(table) === 1e6 ? "million parameters" : "thousand parameters"),
    at: (table, row) => table.params[row] / paramsUnit(table),
    all: (table, original) => original.params / paramsUnit(table),
    show: twoDecimals,
    words: (table, row) => `${formatCount(table.params[row], table.params[table.params.length - 1])} parameters`,
    larger: true,
    bound: "at most",
  },
  size: {
    caption: "Size",
    unit: () => "MB of weights",
    at: (table, row) => (4 * table.params[row]) / 1e6,
    all: (_, original) => (4 * original.params) / 1e6,
    show: threeDigits,
    larger: true,
    bound: "at most",
  },
  latency: {
    caption: "Latency",
    unit: (table) => (isPredicted(table) ? "ms predicted" : "ms"),
    at: steeringLatency,
    show: threeDigits,
    larger: true,
    bound: "at most",
  },
  fps: {
    caption: "Frames a second",
    unit: (table) => (isPredicted(table) ? "frames a second predicted" : "frames a second"),
    at: (table, row) => framesPerSecond(table, steeringLatency(table, row)),
    show: threeDigits,
    larger: false,
    bound: "at least",
  },
  top1: {
    caption: "Accuracy",
    unit: () => "% top-1, trained",
    at: (table, row) => percentOf(trainedTop1(table, row)),
    show: withTwoDecimals,
    larger: true,
    bound: "at least",
  },
};

/** @param {number | null} share */
function percentOf(share) {
  return share === null ? null : 100 * share;
}

/**
 * Quantities that are known of at least two networks.
 * @param {DialTable} table
 */
export function availableQuantities(table) {
  const names = /** @type {QuantityName[]} */ (Object.keys(QUANTITIES));
  return names.filter((name) => {
    const ends = extremes(table, name);
    return ends !== null && (name !== "top1" || table.after.some((value) => value !== null));
  });
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
 * Whether a value keeps a limit of its quantity.
 * @param {QuantityName} quantity
 * @param {number} value
 * @param {number} limit
 */
export function isWithin(quantity, value, limit) {
  return QUANTITIES[quantity].bound === "at most" ? value <= limit : value >= limit;
}

/**
 * Row of the network that a limit leads to: the largest that costs no more, or the smallest that was measured to be no
 * less accurate; null where there is none.
 * @param {DialTable} table
 * @param {QuantityName} quantity
 * @param {number} limit
 */
export function rowWithin(table, quantity, limit) {
  const { at, cost = at, show } = QUANTITIES[quantity];
  const fits = (/** @type {number | null} */ value) => value !== null && isWithin(quantity, value, limit);
  const rows = table.macs.flatMap((_, row) => (quantity !== "top1" || hasTop1(table, row) ? [row] : []));
  if (quantity !== "top1") rows.reverse();
  const within = rows.find((row) => fits(cost(table, row)));
  if (within !== undefined) return within;
  // A user who types the outermost value as it is shown, so rounded, means that network.
  const outermost = rows.findLast((row) => at(table, row) !== null);
  const value = outermost === undefined ? null : at(table, outermost);
  return outermost !== undefined && value !== null && fits(Number(show(value))) ? outermost : null;
}

/**
 * Row of the largest network within a budget of MACs; the smallest network where none is.
 * @param {DialTable} table
 * @param {number} percent of the original's MACs, whatever images are chosen
 */
export function rowOfBudget(table, percent) {
  return Math.max(
    0,
    table.own_percent.findLastIndex((cost) => cost <= percent + 1e-9),
  );
}

/**
 * The value of a network with its unit, as the figures have it; null where it is not known.
 * @param {DialTable} table
 * @param {QuantityName} quantity
 * @param {number} row
 */
export function valueInWords(table, quantity, row) {
  const { at, show, unit, words } = QUANTITIES[quantity];
  const value = at(table, row);
  if (value === null) return null;
  return words ? words(table, row) : `${show(value)} ${unit(table)}`;
}

/**
 * Whether the largest network of a table is the original itself; pins keep it from being so.
 * @param {DialTable} table
 * @param {NetworkFigures} original
 */
export function endsAtOriginal(table, original) {
  return table.macs[table.macs.length - 1] === original.macs;
}
