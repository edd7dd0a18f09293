// A table of three networks and two layers, small enough to compute every expectation by hand.

/**
 * As Python sends it: networks of 20, 50 and 100 of 100 MACs; the smallest was not measured.
 *
 * Layer a.y reads the channels of a.x, and its weight is used twice.
 */
export function tinySent() {
  return {
    percent: [20, 50.25, 100],
    macs: [20, 50, 100],
    own_macs: null,
    params: [1_000_000, 2_000_000, 4_000_000],
    latency: [null, 5, 8],
    latency_measured: [2],
    predicted: null,
    before: [null, 0.6, 0.9],
    before_measured: [1, 2],
    after: [null, 0.85, null],
    after_measured: [1],
    after_together: [],
    together_off: null,
    layers: [
      { name: "a.x", filters: 0, params: [3, 0], macs: [[5, 0]] },
      {
        name: "a.y",
        filters: 1,
        params: [1, 1, 0],
        macs: [
          [3, 1],
          [1, 1, 0],
        ],
      },
    ],
    axis_totals: [4, 8],
    axis_sizes: [
      [1, 1, 2],
      [2, 1, 5],
    ],
    batch: 2,
    start: 1,
  };
}

/** The same as it is read, but for rows of ordinary lists. */
export function tinyTable() {
  return {
    percent: [20, 50.25, 100],
    stated: [20, 50.25, 100],
    own_percent: [20, 50, 100],
    macs_percent: [20, 50, 100],
    macs: [20, 50, 100],
    params: [1_000_000, 2_000_000, 4_000_000],
    latency: [null, 5, 8],
    latency_measured: [false, false, true],
    predicted: [null, null, null],
    before: [null, 0.6, 0.9],
    before_measured: [false, true, true],
    after: [null, 0.85, null],
    after_measured: [false, true, false],
    after_together: [false, false, false],
    together_off: null,
    layers: ["a.x", "a.y"],
    totals: [4, 8],
    original_macs: [20, 56],
    original_params: [12, 32],
    kept: [
      [1, 2],
      [2, 3],
      [4, 8],
    ],
    layer_macs: [
      [5, 8],
      [10, 15],
      [20, 56],
    ],
    layer_params: [
      [3, 2],
      [6, 6],
      [12, 32],
    ],
    layer_times: [],
    original_times: [],
    batch: 2,
    start: 1,
  };
}

/** What Python sends of a device on which the networks take 2, 4 and 5 ms; layer a.y is its slower one. */
export function tinyPredicted() {
  return {
    latency: [2, 4, 5],
    layers: [
      [10, 1, 20, 2],
      [30, 2, 40, 1],
    ],
    unit: [0.02, 0.03, 0.05],
    original: [1, 2],
  };
}

/** The networks of `tinyTable` on that device; the largest was measured as well. */
export function tinyTimed() {
  return {
    ...tinyTable(),
    latency: [null, null, 8],
    predicted: [2, 4, 5],
    layer_times: [
      [0.2, 0.6],
      [0.6, 0.9],
      [1, 2],
    ],
    original_times: [1, 2],
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
