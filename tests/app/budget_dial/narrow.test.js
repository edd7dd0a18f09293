import assert from "node:assert/strict";
import { test } from "node:test";

import { isNarrow, layoutFor } from "../../../app/budget_dial/frontend/narrow.js";

test("in a narrow window a chart takes what its layout says of it, and keeps the rest", () => {
  const narrow = { height: 700, xaxis: { domain: [0, 1] }, sliders: [{ y: -0.1 }] };
  const layout = {
    height: 420,
    xaxis: { domain: [0, 0.4], title: "passes" },
    sliders: [{ y: -0.2 }],
    meta: { narrow },
  };
  const { meta, ...shown } = layoutFor(layout, 360);
  assert.deepEqual(shown, { height: 700, xaxis: { domain: [0, 1], title: "passes" }, sliders: [{ y: -0.1 }] });
  assert.deepEqual(layoutFor(layout, 1200), layout);
  assert.deepEqual(layoutFor({ height: 420 }, 360), { height: 420 });
  assert.deepEqual([0, 360, 1200].map(isNarrow), [false, true, false]);
});
