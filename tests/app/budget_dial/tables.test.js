import assert from "node:assert/strict";
import { test } from "node:test";

import { frontierRows, layerRows, toCsv } from "../../../app/budget_dial/frontend/tables.js";
import { tinyFrontier } from "./tiny_frontier.js";
import { tinyTable } from "./tiny_table.js";

test("a file has the filters of every layer", () => {
  assert.deepEqual(layerRows(tinyTable(), 1), [
    ["layer", "kept", "total", "macs_share"],
    ["a.x", 2, 4, 0.4],
    ["a.y", 3, 8, 0.6],
  ]);
});

test("a file has every measured network, with all its costs", () => {
  const rows = frontierRows(tinyFrontier());
  assert.deepEqual(rows[0], [
    "ranking",
    "macs_percent",
    "macs_millions",
    "params_thousands",
    "latency_ms",
    "top1_before_percent",
    "top1_after_percent",
  ]);
  assert.deepEqual(rows[1], ["learned", 20, 20, 100, 4, 40, 91]);
  assert.equal(rows.length, 5); // the original stands once
});

test("cells with commas, quotes or line breaks are quoted", () => {
  assert.equal(
    toCsv([
      ["a", 1.5, null],
      ["b, c", 'say "d"', "e\nf"],
    ]),
    'a,1.5,\n"b, c","say ""d""","e\nf"\n',
  );
});
