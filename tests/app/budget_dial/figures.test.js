import assert from "node:assert/strict";
import { test } from "node:test";

import { figuresOf, networkFigures } from "../../../app/budget_dial/frontend/figures.js";
import { tinyTable } from "./tiny_table.js";

const original = { macs: 100, params: 4_000_000, latency: 8, before: 0.9, after: 0.9 };

/** Caption, value, difference and remark of every figure. */
function rows(table, row, other) {
  return figuresOf(table, row, other, true).map(({ caption, value, difference, remark }) => {
    return [caption, value, difference, remark];
  });
}

test("figures stand beside those of the original", () => {
  assert.deepEqual(rows(tinyTable(), 1, original), [
    ["MACs", "50", "−50.0 %", ""],
    ["Parameters", "2.00 M", "−50.0 %", "8.00 MB"],
    ["Latency", "~5.00 ms", "−37.5 %", ""],
    ["Frames a second", "~400", "+60.0 %", "in batches of 2"],
    ["Top-1, not fine-tuned", "60.0 %", "−30.0 points", ""],
    ["Top-1, fine-tuned", "85.0 %", "−5.0 points", ""],
  ]);
});

test("what is not known has no figure and no difference", () => {
  assert.deepEqual(rows(tinyTable(), 0, original).slice(2), [
    ["Latency", "—", "", ""],
    ["Frames a second", "—", "", ""],
    ["Top-1, not fine-tuned", "—", "", ""],
    ["Top-1, fine-tuned", "—", "", ""],
  ]);
});

test("where a figure is not known it says why", () => {
  for (const [canMeasure, measure] of [
    [true, "not measured: measure this network"],
    [false, "not measured"],
  ]) {
    const words = figuresOf(tinyTable(), 0, original, canMeasure).map(({ unknown }) => unknown);
    assert.deepEqual(words, ["", "", measure, measure, measure, "not fine-tuned"]);
  }
});

test("another network of the table can be compared with", () => {
  const other = networkFigures(tinyTable(), 1);
  assert.deepEqual(other, { macs: 50, params: 2_000_000, latency: 5, before: 0.6, after: 0.85 });
  assert.deepEqual(
    rows(tinyTable(), 2, other).map(([, , difference]) => difference),
    ["+100.0 %", "+100.0 %", "+60.0 %", "−37.5 %", "+30.0 points", ""],
  );
});

test("costs are better the lower they are, accuracies the higher", () => {
  const lessIsBetter = figuresOf(tinyTable(), 1, original, true).map((figure) => figure.lessIsBetter);
  assert.deepEqual(lessIsBetter, [true, true, true, false, false, false]);
});
