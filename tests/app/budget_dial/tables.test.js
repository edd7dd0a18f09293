import assert from "node:assert/strict";
import { test } from "node:test";

import { layerRows, toCsv } from "../../../app/budget_dial/frontend/tables.js";
import { tinyTable } from "./tiny_table.js";

test("a file has the filters of every layer", () => {
  assert.deepEqual(layerRows(tinyTable(), 1), [
    ["layer", "kept", "total", "macs_share"],
    ["a.x", 2, 4, 0.2],
    ["a.y", 3, 8, 0.3],
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
