import assert from "node:assert/strict";
import { test } from "node:test";

import {
  QUANTITIES,
  availableQuantities,
  extremes,
  rowOfBudget,
  rowWithin,
  trainedTop1,
  valueInWords,
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

test("images of another size change what a limit leads to, and not what a budget is", () => {
  const share = [11.25, 28.125, 56.25];
  const table = { ...tinyTable(), macs_percent: share, stated: share };
  assert.deepEqual([rowWithin(table, "macs", 50), rowWithin(table, "macs", 20)], [1, 0]);
  assert.deepEqual([rowOfBudget(table, 50), rowOfBudget(table, 100)], [1, 2]);
  assert.equal(QUANTITIES.macs.at(table, 1), 28.125);
  assert.equal(trainedTop1({ ...tinyTable(), after: [null, null, null] }, 2), 0.9); // the original as it is
  assert.equal(trainedTop1({ ...table, after: [null, null, null] }, 2), null); // and not with smaller images
  const larger = { ...table, macs_percent: [40, 100.5, 200] };
  assert.equal(QUANTITIES.macs.all?.(larger), 200);
  assert.equal(QUANTITIES.macs.all?.(table), 100);
});

test("extremes are those of the networks where the quantity is known", () => {
  assert.deepEqual(extremes(tinyTable(), "latency"), [5, 8]);
  assert.deepEqual(extremes(tinyTable(), "fps"), [400, 250]);
  assert.deepEqual(extremes(tinyTable(), "params"), [1, 4]);
});

test("a quantity that is known nowhere is not offered", () => {
  const table = { ...tinyTable(), latency: [null, null, null] };
  assert.equal(extremes(table, "fps"), null);
  assert.deepEqual(availableQuantities(table), ["macs", "params", "size", "top1"]);
  assert.deepEqual(availableQuantities(tinyTable()), ["macs", "params", "size", "latency", "fps", "top1"]);
  const untrained = { ...tinyTable(), after: [null, null, null] };
  assert.deepEqual(availableQuantities(untrained), ["macs", "params", "size", "latency", "fps"]);
});

test("an accuracy leads to the smallest network that has it, as trained", () => {
  assert.equal(rowWithin(tinyTable(), "top1", 85), 1);
  assert.equal(rowWithin(tinyTable(), "top1", 85.1), 2); // the whole network has 90 %
  assert.equal(rowWithin(tinyTable(), "top1", 90.1), null);
});

test("a value has the unit of the figures", () => {
  assert.equal(valueInWords(tinyTable(), "params", 1), "2.00 M parameters");
  assert.equal(valueInWords(tinyTable(), "macs", 1), "50 %, 50 MACs");
  assert.equal(valueInWords(tinyTable(), "latency", 0), null);
  const small = { ...tinyTable(), params: [1_000, 20_000, 853_018] };
  assert.equal(rowWithin(small, "params", 20), 1); // thousands, as the largest has less than a million
  assert.equal(valueInWords(small, "params", 0), "1.00 k parameters");
});
