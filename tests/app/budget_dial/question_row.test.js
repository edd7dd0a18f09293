import assert from "node:assert/strict";
import { test } from "node:test";
import { comparisonAddress } from "../../../app/budget_dial/frontend/question_row.js";

test("the comparison of an address is that of its network, on the page beside", () => {
  const base = "http://localhost:8501";
  assert.equal(comparisonAddress(`${base}/?study=demo&budget=30`), `${base}/see?study=demo&budget=30&images=all`);
  assert.equal(
    comparisonAddress(`${base}/explore?budget=30&images=one&run=a-b`),
    `${base}/see?budget=30&images=all&run=a-b`,
  );
  assert.equal(comparisonAddress(`${base}/proxy/8501/?budget=5`), `${base}/proxy/8501/see?budget=5&images=all`);
});
