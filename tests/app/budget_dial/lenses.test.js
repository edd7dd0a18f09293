import assert from "node:assert/strict";
import { test } from "node:test";

import { BAR_LENSES, LENS_CAPTIONS, layerLines, lensesOf } from "../../../app/budget_dial/frontend/lenses.js";
import { tinyTable, tinyTimed } from "./tiny_table.js";

test("every lens but the lane map has bars", () => {
  const names = LENS_CAPTIONS.map(([name]) => name);
  assert.deepEqual(names, [...Object.keys(BAR_LENSES), "together"]);
});

test("bars are parts of those of the original, in the unit that is said", () => {
  const table = tinyTimed();
  const bars = Object.values(BAR_LENSES).map(({ unit, kept, original }) => [
    unit,
    kept(table, 1, 1),
    original(table, 1),
  ]);
  assert.deepEqual(bars, [
    ["filters", 3, 8],
    ["filters kept, %", 37.5, 100],
    ["million MACs", 15e-6, 56e-6],
    ["thousand parameters", 0.006, 0.032],
    ["ms, predicted", 0.9, 2],
  ]);
});

test("of a layer it is told what is left of the original's, first of what the bars show", () => {
  const table = tinyTable();
  table.original_macs[1] = 940_000;
  table.layer_macs[1][1] = 122_200; // 13 % of it
  const told = (lens, row, compared) => layerLines(BAR_LENSES[lens], table, row, compared, 1);
  assert.deepEqual(told("macs", 1, null), ["122.2 of 940.0 k MACs, −87.0 %", "3 of 8 filters, −62.5 %"]);
  assert.deepEqual(told("filters", 1, null), ["3 of 8 filters, −62.5 %", "122.2 of 940.0 k MACs, −87.0 %"]);
  assert.deepEqual(told("percent", 1, null), told("filters", 1, null));
  assert.deepEqual(told("params", 1, 0), [
    "6 of 32 parameters, −81.3 %",
    "3 of 8 filters, −62.5 %",
    "compared: 2 of 32 parameters, −93.8 %",
  ]);
  table.totals[1] = table.kept[2][1] = 2048;
  assert.equal(told("filters", 2, null)[0], "2048 of 2048 filters");
});

test("layers have a time where the device has a profile, and its share of the network's is told", () => {
  assert.ok(!lensesOf(tinyTable()).some(([name]) => name === "time"));
  assert.deepEqual(lensesOf(tinyTimed()), LENS_CAPTIONS);
  const [first] = layerLines(BAR_LENSES.time, tinyTimed(), 1, null, 1);
  assert.equal(first, "0.900 of 2.00 ms, −55.0 %; 22.5 % of the network's"); // 0.9 of 4 ms
});

test("of a layer that has left with its block that is told", () => {
  const table = {
    ...tinyTable(),
    layer_params: [
      [3, 0],
      [6, 6],
      [12, 32],
    ],
  };
  assert.deepEqual(layerLines(BAR_LENSES.filters, table, 0, null, 1), ["removed with its whole block"]);
  assert.equal(layerLines(BAR_LENSES.filters, table, 1, null, 1)[0], "3 of 8 filters, −62.5 %");
});
