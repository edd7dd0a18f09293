import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { COLUMN_EDGES, way } from "../../../app/budget_dial/frontend/lineage_lines.js";

test("columns stand apart, and boxes have their width", () => {
  const css = readFileSync(new URL("../../../app/budget_dial/frontend/lineage.css", import.meta.url), "utf8");
  COLUMN_EDGES.forEach(([left, right], column) => {
    const rule = css.match(new RegExp(`data-column="${column}"\\] \\{([^}]*)\\}`));
    assert.equal(Number(rule?.[1].match(/left: (\d+)%?;/)?.[1]), left);
    assert.equal(Number(rule?.[1].match(/width: (\d+)%;/)?.[1]), right - left);
    if (column) assert.equal(left - COLUMN_EDGES[column - 1][1], 3);
  });
});

test("a line turns behind the box that it leaves, and goes straight to the one that it reaches", () => {
  const line = way({ column: 1, row: 0.5 }, { column: 3, row: 4 });
  assert.equal(line, "M33 1C34.5 1 34.5 4.5 36 4.5H56");
  assert.equal(way({ column: 3, row: 2 }, { column: 4, row: 2 }), "M79 2.5C80.5 2.5 80.5 2.5 82 2.5H82");
});
