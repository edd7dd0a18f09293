import assert from "node:assert/strict";
import { test } from "node:test";

import {
  formatAccuracy,
  formatCount,
  percentChange,
  pointsChange,
  threeDigits,
} from "../../../app/budget_dial/frontend/numbers.js";

test("counts have a unit and at least three digits", () => {
  const numbers = [0, 999, 1234, 855770, 40551040, 125490000, 4.1e9];
  assert.deepEqual(numbers.map(formatCount), ["0", "999", "1.23 k", "855.8 k", "40.55 M", "125.5 M", "4.10 G"]);
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
