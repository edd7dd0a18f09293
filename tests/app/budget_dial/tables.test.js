import assert from "node:assert/strict";
import { test } from "node:test";

import { frontierRows, layerRows, toCsv } from "../../../app/budget_dial/frontend/tables.js";
import { tinyTable } from "./tiny_table.js";

test("a file has the filters of every layer", () => {
  assert.deepEqual(layerRows(tinyTable(), 1), [
    ["layer", "kept", "total", "macs_share"],
    ["a.x", 2, 4, 0.4],
    ["a.y", 3, 8, 0.6],
  ]);
});

test("a file has every measured network, under the title of the axis", () => {
  const rows = [{ series: "finetuned", ranking: "learned", percent: 50, x: 1.5, top1_percent: 91 }];
  const layout = { xaxis: { range: [0, 2], title: { text: "million MACs" } }, yaxis: { range: [0, 100] } };
  assert.deepEqual(frontierRows({ data: [], layout, rows }), [
    ["series", "ranking", "macs_percent", "million MACs", "top1_percent"],
    ["finetuned", "learned", 50, 1.5, 91],
  ]);
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
