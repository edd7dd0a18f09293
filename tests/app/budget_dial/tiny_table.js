// A table of three networks and two layers, small enough to compute every expectation by hand.

/** Networks of 20, 50 and 100 of 100 MACs; the smallest was not measured. */
export function tinyTable() {
  return {
    percent: [20, 50.25, 100],
    macs_percent: [20, 50, 100],
    macs: [20, 50, 100],
    params: [1_000_000, 2_000_000, 4_000_000],
    latency: [null, 5, 8],
    latency_measured: [0, 0, 1],
    before: [null, 0.6, 0.9],
    before_measured: [0, 1, 1],
    after: [null, 0.85, null],
    after_measured: [0, 1, 0],
    layers: ["a.x", "a.y"],
    totals: [4, 8],
    kept: [
      [1, 2],
      [2, 3],
      [4, 8],
    ],
    macs_permille: [
      [500, 500],
      [400, 600],
      [250, 750],
    ],
    batch: 2,
    start: 1,
    bars_title: "filters",
  };
}

/** One lane that both layers write and a third reads by way of a shortcut, and a layer that cannot be pruned. */
export function tinyMap() {
  return {
    columns: ["a.x", "a.y", "b.z"],
    lanes: [
      { row: 0, writers: [0, 1], readers: [2], shortcuts: ["b.shortcut"], fixed: false },
      { row: 1, writers: [2], readers: [], shortcuts: [], fixed: true },
    ],
    n_rows: 2,
  };
}
