import assert from "node:assert/strict";
import { test } from "node:test";

import { fastestRounding, roundingTitle, roundingWords } from "../../../app/budget_dial/frontend/advice.js";

test("rounding is offered with what it gains at this budget, where that is worth a word", () => {
  const rounding = { multiple: 16, latency: [null, 2.9, 3.6] };
  assert.equal(roundingWords(rounding, 4, 1), "Round to 16: −28\u00a0% time at this budget"); // 2.9 / 4 is 0.725
  assert.equal(roundingWords(rounding, 3.7, 2), ""); // 2.7 % less
  assert.equal(roundingWords(rounding, 3.5, 2), "");
  assert.equal(roundingWords(rounding, 4, 0), ""); // below its floor
  assert.match(
    roundingTitle(rounding, { percent: [20, 45.2, 100] }),
    /multiple of 16 .* smallest network has about 45 %/,
  );
});

test("of several multiples the fastest at this budget is offered", () => {
  const [eights, sixteens] = [
    { multiple: 8, latency: [null, 2, 3] },
    { multiple: 16, latency: [null, null, 2.5] },
  ];
  assert.equal(fastestRounding([eights, sixteens], 2), sixteens);
  assert.equal(fastestRounding([eights, sixteens], 1), eights);
  assert.equal(fastestRounding([eights, sixteens], 0), null);
  assert.equal(fastestRounding([], 0), null);
});
