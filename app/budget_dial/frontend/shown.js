// The network that is shown: the slider's, or that of a fine-tuning run which was opened in its place.

/** @import { DialState, DialTable, OpenedNetwork } from "./types" */

/** The lists of a table that hold something of every network. */
const PER_NETWORK = /** @type {const} */ ([
  "percent",
  "stated",
  "own_percent",
  "macs_percent",
  "macs",
  "params",
  "latency",
  "latency_measured",
  "predicted",
  "before",
  "before_measured",
  "after",
  "after_measured",
  "after_together",
  "kept",
  "layer_macs",
  "layer_params",
  "layer_times",
]);

/**
 * A table and the row in it of the network that is shown. An opened network stands behind those of the slider, whose
 * rows stay where they are.
 * @param {DialState} state
 * @returns {{ table: DialTable, row: number }}
 */
export function shownNetwork({ data, row, opened }) {
  if (!opened) return { table: data.table, row };
  return { table: withOpened(data.table, opened), row: data.table.macs.length };
}

/**
 * @param {DialTable} table
 * @param {OpenedNetwork} opened
 * @returns {DialTable}
 */
function withOpened(table, opened) {
  /** @type {{ [name: string]: unknown }} */
  const joined = {};
  for (const name of PER_NETWORK) {
    joined[name] = [...table[name], ...opened.table[name]];
  }
  return { ...table, ...joined };
}
