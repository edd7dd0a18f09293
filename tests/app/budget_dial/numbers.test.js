import assert from "node:assert/strict";
import { test } from "node:test";

import {
  fewDigits,
  formatAccuracy,
  formatCount,
  formatPercent,
  partOf,
  percentChange,
  pointsChange,
  threeDigits,
} from "../../../app/budget_dial/frontend/numbers.js";

test("counts have a unit and at least three digits", () => {
  const numbers = [0, 999, 1234, 855770, 40551040, 125490000, 4.1e9];
  assert.deepEqual(
    numbers.map((count) => formatCount(count)),
    ["0", "999", "1.23 k", "855.8 k", "40.55 M", "125.5 M", "4.10 G"],
  );
});

test("a change is relative, has its sign, and is empty where it rounds to nothing or is not known", () => {
  assert.equal(percentChange(47, 100), "−53.0 %");
  assert.equal(percentChange(3, 2), "+50.0 %");
  assert.equal(percentChange(100, 100), "");
  assert.equal(percentChange(99.96, 100), "");
  assert.equal(percentChange(null, 100), "");
  assert.equal(percentChange(47, null), "");
  assert.equal(percentChange(47, 0), "");
});

test("accuracies differ by points", () => {
  assert.equal(pointsChange(0.81, 0.9339), "−12.4 points");
  assert.equal(pointsChange(0.5, 0.25), "+25.0 points");
  assert.equal(pointsChange(0.5, 0), "+50.0 points");
  assert.equal(pointsChange(0.9252, 0.9296), "−0.5 points"); // 92.5 and 93.0 are shown
  assert.equal(pointsChange(0.9, 0.9), "");
  assert.equal(pointsChange(null, 0.9), "");
  assert.equal(pointsChange(0.9, null), "");
});

test("three digits are shown, with zeros", () => {
  assert.deepEqual([0, 0.1234, 2.4, 14.06, 140.3].map(threeDigits), ["0", "0.123", "2.40", "14.1", "140"]);
});

test("an accuracy says whether it was measured", () => {
  assert.equal(formatAccuracy(0.914, 1), "91.4 %");
  assert.equal(formatAccuracy(0.914, 0), "~91.4 %");
  assert.equal(formatAccuracy(null, 0), "—");
});

test("a count may take the unit of another", () => {
  assert.equal(formatCount(9_020, 853_018), "9.02 k");
  assert.equal(formatCount(900_000, 25_600_000), "0.90 M");
});

test("a sentence has few digits, two at least", () => {
  assert.deepEqual([0.0123, 0.123, 4.98, 16.97, 143.3].map(fewDigits), ["0.012", "0.12", "5.0", "17.0", "143"]);
});

test("a share of the work is whole where that says enough", () => {
  assert.deepEqual([1.75, 29.97, 99.4, 99.7, 100].map(formatPercent), ["1.8 %", "30 %", "99 %", "99.7 %", "100 %"]);
});

test("a part of a count has its unit once", () => {
  assert.deepEqual(
    [partOf(122_200, 1_940_000), partOf(0, 9_400), partOf(3, 8)],
    ["0.12 of 1.94 M", "0.00 of 9.40 k", "3 of 8"],
  );
});
