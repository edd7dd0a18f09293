import assert from "node:assert/strict";
import { test } from "node:test";

import { areOf, whatIfWords } from "../../../app/budget_dial/frontend/what_if.js";
import { tinyTable } from "./tiny_table.js";

const costs = {
  id: "t",
  layer: "a.x",
  ranking: "learned",
  kept: [1, 2, 4],
  macs: [40_000_000, 50_000_000, 75_000_000],
  params: [1000, 2500, 5000],
  latency: [0.75, 1, 1.5],
};

test("what would change is signed, for all of the network", () => {
  assert.equal(
    whatIfWords(costs, 1, 0),
    "1 instead of 2 filters, all else as it is: −10.00 M MACs (−20.0 %), −1.50 k parameters, −0.250 ms predicted. Accuracy: not measured.",
  );
  assert.equal(
    whatIfWords({ ...costs, latency: null }, 1, 2),
    "4 instead of 2 filters, all else as it is: +25.00 M MACs (+50.0 %), +2.50 k parameters. Accuracy: not measured.",
  );
  assert.equal(whatIfWords(costs, 1, 1), "It keeps 2. What if it kept another number?");
});

test("costs are shown beside the very network that they are of", () => {
  const table = tinyTable();
  const [row, layer] = [1, "a.x"];
  const kept = table.kept[row][0];
  const own = { ...costs, kept: [kept], macs: [table.macs[row]], latency: null };
  assert.equal(areOf(own, layer, "learned", table, row), true);
  assert.equal(areOf(own, layer, "learned", table, 0), false);
  assert.equal(areOf(own, "a.y", "learned", table, row), false);
  assert.equal(areOf(own, layer, "uniform", table, row), false);
  const timed = { ...table, predicted: [1, 2, 3] };
  assert.equal(areOf({ ...own, latency: [2] }, layer, "learned", timed, row), true);
  assert.equal(areOf({ ...own, latency: [2.1] }, layer, "learned", timed, row), false); // another device's
  assert.equal(areOf({ ...own, latency: [2] }, layer, "learned", table, row), false);
  assert.equal(areOf(null, layer, "learned", table, row), false);
});
