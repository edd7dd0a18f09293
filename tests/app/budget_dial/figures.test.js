import assert from "node:assert/strict";
import { test } from "node:test";

import { figuresOf, networkFigures, plusMinus } from "../../../app/budget_dial/frontend/figures.js";
import { markWords } from "../../../app/budget_dial/frontend/frontier_marks.js";
import { tinyTable, tinyTimed } from "./tiny_table.js";

const original = { macs: 100, params: 4_000_000, latency: 8, predicted: null, before: 0.9, after: 0.9 };

/** Caption, value, difference and remark of every figure. */
function rows(table, row, other) {
  return figuresOf(table, row, other, "macs").map(({ caption, value, difference, remark }) => {
    return [caption, value, difference, remark];
  });
}

test("figures stand beside those of the original", () => {
  assert.deepEqual(rows(tinyTable(), 1, original), [
    ["Top-1, trained", "85.0 %", "−5.0 points", ""],
    ["MACs", "50", "−50.0 %", ""],
    ["Parameters", "2.00 M", "−50.0 %", "8.00 MB"],
    ["Latency", "~5.00 ms", "−37.5 %", ""],
    ["Frames a second", "~400", "+60.0 %", "in batches of 2"],
    ["Top-1 as cut", "60.0 %", "−30.0 points", ""],
  ]);
});

test("the label says that weights were trained together with those of all budgets", () => {
  const table = { ...tinyTable(), after_measured: [false, false, false], after_together: [false, true, false] };
  assert.deepEqual(rows(table, 1, original)[0], ["Top-1, trained together", "~85.0 %", "−5.0 points", ""]);
});

test("an accuracy that is read between two others says how far off such networks were found", () => {
  const together = { after_together: [false, true, false], together_off: { networks: 8, most: 0.0033 } };
  const table = { ...tinyTable(), after_measured: [false, false, false], ...together };
  assert.deepEqual(rows(table, 1, original)[0], ["Top-1, trained together", "~85.0 %", "−5.0 points", "± 0.4"]);
  const [{ hint }] = figuresOf(table, 1, original, "macs");
  assert.match(hint, /^The 8 networks measured between the points lay at most 0\.4 points off the line/);
  assert.equal(rows({ ...tinyTable(), ...together }, 1, original)[0][3], ""); // measured
  assert.equal(rows({ ...table, after_together: [false, false, false] }, 1, original)[0][3], ""); // of other weights
  assert.deepEqual(
    [0, 0.001, 0.00101, 0.0456].map((most) => plusMinus({ networks: 1, most })),
    ["± 0.1", "± 0.1", "± 0.2", "± 4.6"], // rounded up
  );
  assert.deepEqual(markWords(table, 1, "This budget")[0][1].split("\n"), [
    "This budget: 50.25 % of the MACs",
    "about 85.0 % ± 0.4, trained together",
  ]);
});

test("predicted figures say so, beside what was measured", () => {
  const whole = { ...original, predicted: 5 };
  const timed = (row) => rows(tinyTimed(), row, whole).slice(3, 5);
  assert.deepEqual(timed(1), [
    ["Latency, predicted", "4.00 ms", "−20.0 %", ""],
    ["FPS, predicted", "500", "+25.0 %", "in batches of 2"],
  ]);
  assert.deepEqual(timed(2), [
    ["Latency, predicted", "5.00 ms", "", "8.00 measured"],
    ["FPS, predicted", "400", "", "250 measured, in batches of 2"],
  ]);
});

test("what is not known has no figure and no difference", () => {
  const known = rows(tinyTable(), 0, original).filter(([, value]) => value !== "—");
  assert.deepEqual(
    known.map(([caption]) => caption),
    ["MACs", "Parameters"],
  );
  assert.deepEqual(rows(tinyTable(), 0, original)[0], ["Top-1, trained", "—", "", ""]);
});

test("where a figure is not known it says why", () => {
  const words = figuresOf(tinyTable(), 0, original, "macs").map(({ unknown }) => unknown);
  const measure = "not measured";
  assert.deepEqual(words, ["not fine-tuned", "", "", measure, measure, measure]);
});

test("another network of the table can be compared with", () => {
  const other = networkFigures(tinyTable(), 1);
  assert.deepEqual(other, { macs: 50, params: 2_000_000, latency: 5, predicted: null, before: 0.6, after: 0.85 });
  assert.deepEqual(
    rows(tinyTable(), 2, other).map(([, , difference]) => difference),
    ["+5.0 points", "+100.0 %", "+100.0 %", "+60.0 %", "−37.5 %", "+30.0 points"],
  );
});

test("costs are better the lower they are, accuracies the higher", () => {
  const lessIsBetter = figuresOf(tinyTable(), 1, original, "macs").map((figure) => figure.lessIsBetter);
  assert.deepEqual(lessIsBetter, [false, true, true, true, false, false]);
});

test("what one steers by comes second, beside the accuracy as trained", () => {
  const second = ["macs", "params", "size", "latency", "fps", "top1"].map((quantity) => {
    return figuresOf(tinyTable(), 1, original, quantity)[1].caption;
  });
  const size = "Size, 2.00 M parameters";
  assert.deepEqual(second, ["MACs", "Parameters", size, "Latency", "Frames a second", "MACs"]);
  const captions = figuresOf(tinyTable(), 1, original, "fps").map(({ caption }) => caption);
  assert.equal(new Set(captions).size, 6);
});

test("the large figure is in the unit that one steers by", () => {
  const large = ["params", "size", "latency", "fps"].map((quantity) => {
    const { value, difference, remark } = figuresOf(tinyTable(), 1, original, quantity)[1];
    return [value, difference, remark];
  });
  assert.deepEqual(large, [
    ["2.00 M", "−50.0 %", "8.00 MB"],
    ["8.00 MB", "−50.0 %", ""], // 4 bytes a parameter
    ["~5.00 ms", "−37.5 %", ""],
    ["~400", "+60.0 %", "in batches of 2"],
  ]);
});

test("the whole network is trained as it is", () => {
  assert.deepEqual(rows(tinyTable(), 2, original)[0].slice(0, 2), ["Top-1, trained", "90.0 %"]);
});
