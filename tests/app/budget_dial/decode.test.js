import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeData, decodeSizes, decodeTable } from "../../../app/budget_dial/frontend/decode.js";
import { tinyPredicted, tinySent, tinyTable, tinyTimed } from "./tiny_table.js";

/** With ordinary lists in place of typed arrays. */
function plain(value) {
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return Array.from(value, plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}

test("sizes are told by how much each is above the one before, and how often it is not", () => {
  assert.deepEqual(plain(decodeSizes([3], 1)), [3]);
  assert.deepEqual(plain(decodeSizes([3, -2], 3)), [3, 3, 3]);
  assert.deepEqual(plain(decodeSizes([0, -1, 4, 1, -2, 10], 7)), [0, 0, 4, 5, 5, 5, 15]);
});

test("a table is read cell by cell", () => {
  assert.deepEqual(plain(decodeTable(tinySent(), 100)), tinyTable());
});

test("with images of another size a network has a share of the original's work, and is found by its own budget", () => {
  const sent = { ...tinySent(), macs: [11.25, 28.125, 56.25], own_macs: [20, 50, 100] };
  const table = decodeTable(sent, 100);
  assert.deepEqual(table.macs_percent, [11.25, 28.125, 56.25]);
  assert.deepEqual(table.stated, [11.25, 28.125, 56.25]);
  assert.deepEqual([table.percent, table.own_percent], [tinySent().percent, [20, 50, 100]]);
  const ownImages = decodeTable(tinySent(), 100);
  assert.equal(ownImages.stated, ownImages.percent); // so that a budget keeps the number that was typed
});

test("times of layers are told by runs, in a unit of each network", () => {
  const table = decodeTable({ ...tinySent(), predicted: tinyPredicted() }, 100);
  assert.deepEqual(plain(table.predicted), [2, 4, 5]);
  const rounded = plain(table.layer_times).map((row) => row.map((time) => Number(time.toFixed(9))));
  assert.deepEqual(rounded, tinyTimed().layer_times); // 10 * 0.02, 30 * 0.02; 20 * 0.03, 30 * 0.03; 20 and 40 * 0.05
  assert.deepEqual(plain(table.original_times), [1, 2]);
});

test("costs of the original are those of its own filters, which no network of the table may have", () => {
  const table = decodeTable({ ...tinySent(), axis_totals: [5, 10] }, 200);
  assert.deepEqual(plain(table.totals), [5, 10]);
  assert.deepEqual(plain(table.original_macs), [25, 80]); // 5 * 5; 3 * 10 + 10 * 5
  assert.deepEqual(plain(table.original_params), [15, 50]);
  assert.deepEqual(table.macs_percent, [10, 25, 50]);
});

test("large costs are exact", () => {
  const layers = [{ name: "a", filters: 0, params: [2 ** 30, 0, 1], macs: [[94_906_265, 0, 1]] }];
  const sent = { ...tinySent(), layers, axis_totals: [94_906_265, 1], axis_sizes: [[94_906_265], [1]], macs: [1] };
  assert.equal(decodeTable(sent, 1).layer_macs[0][0], 9007199136250225); // below 2 ** 53
});

test("a network that is open has a table of its own", () => {
  const opened = { run: "abc", note: "off the order", table: { ...tinySent(), macs: [50], axis_sizes: [[3], [1]] } };
  const data = { table: tinySent(), original: { macs: 100 }, opened, id: "x" };
  const shown = decodeData(data);
  assert.deepEqual(plain(shown.opened.table.kept), [[3, 1]]);
  assert.deepEqual([shown.opened.run, shown.opened.note, shown.id], ["abc", "off the order", "x"]);
  assert.equal(decodeData({ ...data, opened: null }).opened, null);
});
