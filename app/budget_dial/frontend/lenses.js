// What the bars show of each layer.

/** @import { BarLens, Lens } from "./types" */

/** @type {[Lens, string][]} */
export const LENS_CAPTIONS = [
  ["filters", "Filters"],
  ["percent", "Per cent"],
  ["macs", "MACs"],
  ["params", "Parameters"],
  ["together", "Together"], // the lane map instead of bars
];

/** @type {{ [name in Exclude<Lens, "together">]: BarLens }} */
export const BAR_LENSES = {
  filters: { unit: "filters", kept: ({ kept }, row, l) => kept[row][l], original: ({ totals }, l) => totals[l] },
  percent: {
    unit: "filters kept, %",
    kept: ({ kept, totals }, row, l) => (100 * kept[row][l]) / totals[l],
    original: () => 100,
  },
  macs: {
    unit: "million MACs",
    kept: ({ layer_macs }, row, l) => layer_macs[row][l] / 1e6,
    original: ({ original_macs }, l) => original_macs[l] / 1e6,
  },
  params: {
    unit: "thousand parameters",
    kept: ({ layer_params }, row, l) => layer_params[row][l] / 1e3,
    original: ({ original_params }, l) => original_params[l] / 1e3,
  },
};
