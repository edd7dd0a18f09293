import assert from "node:assert/strict";
import { test } from "node:test";

import {
  availableQuantities,
  extremes,
  outOfReach,
  rowOfBudget,
  rowWithin,
} from "../../../app/budget_dial/frontend/quantities.js";
import { tinyTable } from "./tiny_table.js";

test("a limit leads to the largest network within it", () => {
  const table = tinyTable();
  assert.equal(rowWithin(table, "macs", 100), 2);
  assert.equal(rowWithin(table, "macs", 99.99), 1);
  assert.equal(rowWithin(table, "macs", 50), 1); // what it costs counts, not the 50.25 % it is listed under
  assert.equal(rowWithin(table, "macs", 49.99), 0);
  assert.equal(rowWithin(table, "macs", 19.99), null);
  assert.equal(rowWithin(table, "params", 2.5), 1); // millions
  assert.equal(rowWithin(table, "size", 4), 0); // MB: 4 bytes a parameter
  assert.equal(rowWithin(table, "size", 3.9), null);
});

test("a latency that is not known keeps within no limit", () => {
  assert.equal(rowWithin(tinyTable(), "latency", 6), 1);
  assert.equal(rowWithin(tinyTable(), "latency", 4), null);
});

test("frames a second are a lower limit", () => {
  // 2 images in 8 ms are 250 a second, in 5 ms 400
  assert.equal(rowWithin(tinyTable(), "fps", 250), 2);
  assert.equal(rowWithin(tinyTable(), "fps", 251), 1);
  assert.equal(rowWithin(tinyTable(), "fps", 401), null);
});

test("the smallest value is within reach as it is shown, rounded", () => {
  const table = { ...tinyTable(), params: [1_003_000, 2_000_000, 4_000_000] };
  assert.equal(rowWithin(table, "params", 1), 0); // shown as 1.00
  assert.equal(rowWithin(table, "params", 0.99), null);
});

test("a budget leads to the largest network within it, and below all to the smallest", () => {
  assert.deepEqual(
    [0, 20, 49.9, 50, 100].map((percent) => rowOfBudget(tinyTable(), percent)),
    [0, 0, 0, 1, 2],
  );
});

test("extremes are those of the networks where the quantity is known", () => {
  assert.deepEqual(extremes(tinyTable(), "latency"), [5, 8]);
  assert.deepEqual(extremes(tinyTable(), "fps"), [400, 250]);
  assert.deepEqual(extremes(tinyTable(), "params"), [1, 4]);
});

test("a quantity that is known nowhere is not offered", () => {
  const table = { ...tinyTable(), latency: [null, null, null] };
  assert.equal(extremes(table, "fps"), null);
  assert.deepEqual(availableQuantities(table), ["macs", "params", "size"]);
  assert.deepEqual(availableQuantities(tinyTable()), ["macs", "params", "size", "latency", "fps"]);
});

test("a limit out of reach is answered with what is in reach", () => {
  const table = tinyTable();
  assert.equal(
    outOfReach(table, "macs", "Choose more."),
    "Out of reach: this ranking's smallest network needs 20.00 % of the MACs. Choose more.",
  );
  assert.equal(
    outOfReach(table, "fps", "Choose fewer."),
    "Out of reach: this ranking's smallest measured network reaches 400 frames a second. Choose fewer.",
  );
});
