// What the bars show of each layer, and what the pointer tells of it.

/** @import { BarLens, DialTable, Lens } from "./types" */
import { partOf, percentChange, threeDigits } from "./numbers.js";

/** @type {[Lens, string][]} */
export const LENS_CAPTIONS = [
  ["filters", "Filters"],
  ["percent", "Per cent"],
  ["macs", "MACs"],
  ["params", "Parameters"],
  ["time", "Time"],
  ["together", "Together"], // the lane map instead of bars
];

/** @type {{ [name in Exclude<Lens, "together">]: BarLens }} */
export const BAR_LENSES = {
  filters: {
    unit: "filters",
    kept: ({ kept }, row, l) => kept[row][l],
    original: ({ totals }, l) => totals[l],
    told: ["filters", "macs"],
  },
  percent: {
    unit: "filters kept, %",
    kept: ({ kept, totals }, row, l) => (100 * kept[row][l]) / totals[l],
    original: () => 100,
    told: ["filters", "macs"],
  },
  macs: {
    unit: "million MACs",
    kept: ({ layer_macs }, row, l) => layer_macs[row][l] / 1e6,
    original: ({ original_macs }, l) => original_macs[l] / 1e6,
    told: ["macs", "filters"],
  },
  params: {
    unit: "thousand parameters",
    kept: ({ layer_params }, row, l) => layer_params[row][l] / 1e3,
    original: ({ original_params }, l) => original_params[l] / 1e3,
    told: ["params", "filters"],
  },
  time: {
    unit: "ms, predicted",
    kept: ({ layer_times }, row, l) => layer_times[row][l],
    original: ({ original_times }, l) => original_times[l],
    told: ["time", "filters"],
  },
};

/**
 * The lenses that a table has figures for: the time of layers is known where the device has a profile.
 * @param {DialTable} table
 */
export function lensesOf({ layer_times }) {
  return LENS_CAPTIONS.filter(([name]) => name !== "time" || layer_times.length);
}

export const GONE = "removed with its whole block";

/** @typedef {(table: DialTable, row: number, layer: number) => [number, number]} KeptOf of a network, and the original */

/** @type {{ [name in Exclude<BarLens["told"][number], "time">]: { unit: string, of: KeptOf } }} */
const COUNTS = {
  filters: { unit: "filters", of: ({ kept, totals }, row, l) => [kept[row][l], totals[l]] },
  macs: { unit: "MACs", of: ({ layer_macs, original_macs }, row, l) => [layer_macs[row][l], original_macs[l]] },
  params: {
    unit: "parameters",
    of: ({ layer_params, original_params }, row, l) => [layer_params[row][l], original_params[l]],
  },
};

/**
 * What the pointer tells of a layer, the most important first, such as "0.12 of 0.94 M MACs, −87.0 %".
 * @param {BarLens} lens
 * @param {DialTable} table
 * @param {number} row
 * @param {number | null} comparedRow
 * @param {number} layer
 */
export function layerLines({ told }, table, row, comparedRow, layer) {
  const isGone = table.layer_params[row][layer] === 0;
  const lines = isGone ? [GONE] : told.map((name) => countWords(name, table, row, layer));
  return comparedRow === null ? lines : [...lines, `compared: ${countWords(told[0], table, comparedRow, layer)}`];
}

/**
 * @param {BarLens["told"][number]} name
 * @param {DialTable} table
 * @param {number} row
 * @param {number} layer
 */
function countWords(name, table, row, layer) {
  if (name === "time") return timeWords(table, row, layer);
  const { unit, of } = COUNTS[name];
  const [kept, whole] = of(table, row, layer);
  const counts = name === "filters" ? `${kept} of ${whole}` : partOf(kept, whole); // one counts filters to the last
  return [`${counts} ${unit}`, percentChange(kept, whole)].filter(Boolean).join(", ");
}

/**
 * The time of a layer and its share of the network's, such as "0.081 of 0.155 ms, −47.7 %; 4.1 % of the network's".
 * @param {DialTable} table
 * @param {number} row
 * @param {number} layer
 */
function timeWords({ layer_times, original_times, predicted }, row, layer) {
  const [kept, whole] = [layer_times[row][layer], original_times[layer]];
  const change = percentChange(kept, whole);
  const share = `${((100 * kept) / Number(predicted[row])).toFixed(1)} % of the network's`;
  return `${threeDigits(kept)} of ${threeDigits(whole)} ms${change && `, ${change}`}; ${share}`;
}
