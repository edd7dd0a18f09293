import assert from "node:assert/strict";
import { test } from "node:test";

import { BAR_LENSES, LENS_CAPTIONS } from "../../../app/budget_dial/frontend/lenses.js";
import { tinyTable } from "./tiny_table.js";

test("every lens but the lane map has bars", () => {
  const names = LENS_CAPTIONS.map(([name]) => name);
  assert.deepEqual(names, [...Object.keys(BAR_LENSES), "together"]);
});

test("bars are parts of those of the original, in the unit that is said", () => {
  const table = tinyTable();
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
  ]);
});
