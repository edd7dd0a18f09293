// The table as it is sent, made into one that is read: a row for every network, and in it a cell for every layer. That is
// done once, when the table comes, so a drag only looks up.

/** @import { DialTable, LayerData, MountedData, PredictedData, ShownData, TableData } from "./types" */

/**
 * What Python sends, with its tables read.
 * @param {MountedData} data
 * @returns {ShownData}
 */
export function decodeData(data) {
  const { table, opened, original } = data;
  return {
    ...data,
    table: decodeTable(table, original.macs),
    opened: opened && { ...opened, table: decodeTable(opened.table, original.macs) },
  };
}

/**
 * @param {TableData} sent
 * @param {number} originalMacs
 * @returns {DialTable}
 */
export function decodeTable(sent, originalMacs) {
  const { percent, macs, params, latency, before, after, layers, batch, start } = sent;
  const rows = macs.length;
  const sizes = sent.axis_sizes.map((told) => decodeSizes(told, rows));
  const ofNetworks = layerTables(layers, sizes, rows);
  const totals = sent.axis_totals.map((total) => Float64Array.of(total));
  const ofOriginal = layerTables(layers, totals, 1);
  const { predicted, own_macs } = sent;
  const macs_percent = macs.map((n) => (100 * n) / originalMacs);
  return {
    percent,
    stated: own_macs ? macs_percent.map((share) => Math.ceil(1e4 * share - 1e-3) / 1e4) : percent,
    own_percent: own_macs?.map((n) => (100 * n) / originalMacs) ?? macs_percent,
    macs_percent,
    macs,
    params,
    latency,
    latency_measured: flags(sent.latency_measured, rows),
    predicted: predicted?.latency ?? macs.map(() => null),
    before,
    before_measured: flags(sent.before_measured, rows),
    after,
    after_measured: flags(sent.after_measured, rows),
    after_together: flags(sent.after_together, rows),
    together_off: sent.together_off,
    layers: layers.map(({ name }) => name),
    totals: ofOriginal.kept[0],
    original_macs: ofOriginal.macs[0],
    original_params: ofOriginal.params[0],
    kept: ofNetworks.kept,
    layer_macs: ofNetworks.macs,
    layer_params: ofNetworks.params,
    layer_times: predicted?.layers.length ? layerTimes(predicted, rows) : [],
    original_times: Float64Array.from(predicted?.original ?? []),
    batch,
    start,
  };
}

/**
 * Sizes of an axis in every network, from the first and by how much each is above the one before; -n: n times not at all.
 * @param {number[]} told
 * @param {number} rows
 */
export function decodeSizes([first, ...steps], rows) {
  const sizes = new Float64Array(rows).fill(first);
  let row = 1;
  for (const step of steps) {
    if (step < 0) row -= step;
    else sizes.fill(sizes[row - 1] + step, row++);
  }
  return sizes;
}

/**
 * Filters and costs of every layer of some networks.
 * @param {LayerData[]} layers
 * @param {Float64Array[]} sizes of every axis, in all networks
 * @param {number} rows
 */
function layerTables(layers, sizes, rows) {
  const product = (/** @type {number[]} */ [factor, ...axes], /** @type {number} */ row) =>
    axes.reduce((cost, axis) => cost * sizes[axis][row], factor);
  return {
    kept: cells(layers, rows, ({ filters }, row) => sizes[filters][row]),
    macs: cells(layers, rows, ({ macs }, row) => macs.reduce((sum, part) => sum + product(part, row), 0)),
    params: cells(layers, rows, ({ params }, row) => product(params, row)),
  };
}

/**
 * Milliseconds of every layer of some networks.
 * @param {PredictedData} predicted
 * @param {number} rows
 */
function layerTimes({ layers, unit }, rows) {
  const memory = new Float64Array(rows * layers.length);
  layers.forEach((told, l) => {
    let row = 0;
    for (let n = 0; n < told.length; n += 2) {
      for (const end = row + told[n + 1]; row < end; row++) memory[row * layers.length + l] = told[n] * unit[row];
    }
  });
  return unit.map((_, row) => memory.subarray(row * layers.length, (row + 1) * layers.length));
}

/**
 * A value for every network and layer; one piece of memory holds them all.
 * @param {LayerData[]} layers
 * @param {number} rows
 * @param {(layer: LayerData, row: number) => number} valueOf
 */
function cells(layers, rows, valueOf) {
  const memory = new Float64Array(rows * layers.length);
  return Array.from({ length: rows }, (_, row) => {
    const cellsOfRow = memory.subarray(row * layers.length, (row + 1) * layers.length);
    layers.forEach((layer, l) => (cellsOfRow[l] = valueOf(layer, row)));
    return cellsOfRow;
  });
}

/**
 * For every row whether it is named.
 * @param {number[]} named
 * @param {number} rows
 */
function flags(named, rows) {
  const found = new Set(named);
  return Array.from({ length: rows }, (_, row) => found.has(row));
}
