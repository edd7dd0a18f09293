import assert from "node:assert/strict";
import { test } from "node:test";

import { shownNetwork } from "../../../app/budget_dial/frontend/shown.js";
import { tinyTable } from "./tiny_table.js";

const opened = {
  run: "abc",
  note: "off the order",
  table: { ...tinyTable(), macs: [50], params: [1_900_000], latency: [4], kept: [[3, 1]], after: [0.8] },
};

test("the slider's network is shown where none is open", () => {
  const data = { table: tinyTable() };
  assert.deepEqual(shownNetwork({ data, row: 1, opened: null }), { table: data.table, row: 1 });
});

test("an open network has its own figures, and those of the slider stay where they are", () => {
  const { table, row } = shownNetwork({ data: { table: tinyTable() }, row: 1, opened });
  assert.equal(row, 3);
  assert.deepEqual(
    [table.macs, table.params[row], table.latency[row], table.after[row]],
    [[20, 50, 100, 50], 1_900_000, 4, 0.8],
  );
  assert.deepEqual(table.kept, [...tinyTable().kept, [3, 1]]);
  assert.deepEqual(table.totals, [4, 8]);
  assert.deepEqual(table.layer_macs[row], tinyTable().layer_macs[0]);
});
