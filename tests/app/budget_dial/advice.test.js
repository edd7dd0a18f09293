import assert from "node:assert/strict";
import { test } from "node:test";

import { fastestRounding, roundingTitle, roundingWords } from "../../../app/budget_dial/frontend/advice.js";
import { tinyTimed } from "./tiny_table.js";

const [EIGHTS, SIXTEENS] = [
  { multiple: 8, latency: [null, 3.9, 4], macs: [null, 48, 96] },
  { multiple: 16, latency: [null, 2.9, 3], macs: [null, 45, 79] },
];

test("rounding is offered with what it gains and where it leads, if that is worth a word", () => {
  const table = tinyTimed(); // 2, 4 and 5 ms, of 20, 50 and 100 of 100 MACs
  assert.equal(roundingWords(SIXTEENS, table, 1), "Round to 16: −28\u00a0% time, at 45\u00a0% of the MACs"); // 2.9 / 4
  assert.equal(roundingWords(EIGHTS, table, 1), ""); // 2.5 % less
  assert.equal(roundingWords(SIXTEENS, table, 0), ""); // below its floor
  assert.match(
    roundingTitle(SIXTEENS, { percent: [20, 45.2, 100] }),
    /multiple of 16 .* smallest network has about 45 %/,
  );
});

test("of several multiples the fastest that comes near the budget is offered", () => {
  const both = [EIGHTS, SIXTEENS];
  assert.equal(fastestRounding(both, tinyTimed(), 1), SIXTEENS);
  assert.equal(fastestRounding(both, tinyTimed(), 2), EIGHTS); // 79 of 100 MACs are much less
  assert.equal(fastestRounding(both, tinyTimed(), 0), null);
  assert.equal(fastestRounding([], tinyTimed(), 0), null);
});
