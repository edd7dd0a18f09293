import assert from "node:assert/strict";
import { test } from "node:test";

import { toCsv } from "../../../app/budget_dial/frontend/tables.js";
import { escapeTags, fileName, keepUnits, safeCell } from "../../../app/budget_dial/frontend/text.js";

test("Plotly reads no tag of a layer's name", () => {
  assert.equal(escapeTags('<a href="x">conv1</a> &lt;'), '&lt;a href="x"&gt;conv1&lt;/a&gt; &amp;lt;');
  assert.equal(escapeTags("a\u202eb\x1b"), "a\\u{202e}b\\u{1b}");
});

test("a cell that begins like a formula gets an apostrophe, a number none", () => {
  const cells = ["=1+1", "+x", "-x", "@x", "\n=1", "-0.3", "+1e-3", -0.3, "conv1", null];
  assert.deepEqual(cells.map(safeCell), ["'=1+1", "'+x", "'-x", "'@x", "'\n=1", "-0.3", "+1e-3", "-0.3", "conv1", ""]);
  assert.equal(toCsv([["=a,b", -1]]), '"\'=a,b",-1\n');
});

test("the name of a file has no separators and turns nothing around", () => {
  assert.equal(fileName("../a b\u202egpj.svg"), "_a_b_gpj.svg");
});

test("a number and its unit stand on one line", () => {
  const space = "\u00a0";
  assert.equal(
    keepUnits("Learned, 49.6 % of the MACs, 40.55 M MACs, 5 ms in 2 months (1.87 MB)"),
    `Learned, 49.6${space}% of the MACs, 40.55${space}M MACs, 5${space}ms in 2 months (1.87${space}MB)`,
  );
});
