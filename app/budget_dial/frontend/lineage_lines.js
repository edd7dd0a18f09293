// The lines of the map of networks: where its columns stand, and how a line goes from one box to another.

/** @import { LineageOrigin } from "./types" */

const GAP = 3; // between two columns, in hundredths of the width

/** Where columns begin and end, in hundredths of the width; `lineage.css` has the same. */
export const COLUMN_EDGES = [
  [0, 13],
  [16, 33],
  [36, 53],
  [56, 79],
  [82, 100],
];

/**
 * The line from one box to another that came from it.
 * @param {Pick<LineageOrigin, 'column' | 'row'>} before
 * @param {Pick<LineageOrigin, 'column' | 'row'>} after
 */
export function way(before, after) {
  const from = COLUMN_EDGES[before.column][1];
  const to = COLUMN_EDGES[after.column][0];
  const [high, low] = [before.row + 0.5, after.row + 0.5];
  const half = from + GAP / 2; // it turns at once: the columns between have nothing in the row of the later box
  return `M${from} ${high}C${half} ${high} ${half} ${low} ${from + GAP} ${low}H${to}`;
}
