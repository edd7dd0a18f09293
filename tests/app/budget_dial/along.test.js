import assert from "node:assert/strict";
import { test } from "node:test";

import {
  nearestRow,
  networkWords,
  points,
  prediction,
  startOfScale,
} from "../../../app/budget_dial/frontend/along_rows.js";

/** @type {import("../../../app/budget_dial/frontend/types").AlongData} */
const data = {
  percent: [100, 50, 10],
  top1: [93, 91.234, 70],
  listed: ["cat"],
  top1_of_listed: [[88, 80, 41]],
  names: ["ant", "bee", "cat"],
  images: [],
  changing: [],
};

test("the nearest network is the one whose share of the MACs has the nearest ratio", () => {
  assert.deepEqual(
    [100, 71, 70, 23, 22, 1, 0].map((percent) => nearestRow(data.percent, percent)),
    [0, 0, 1, 1, 2, 2, 2],
  );
});

test("which network is shown is said, and how good it is", () => {
  assert.equal(networkWords(data, 0), "The original: right on 93.00 % of all test images.");
  assert.match(
    networkWords(data, 1),
    /^The network at 50\.0 % of the MACs, of 3 the nearest to the slider: .* 91\.23 %/,
  );
});

test("differences have a sign, and what rounds to nothing has none", () => {
  assert.deepEqual([-4.06, 0.04, -0.04, 1].map(points), ["−4.1", "±0.0", "±0.0", "+1.0"]);
});

test("a prediction is right or another than the original's", () => {
  const image = { number: 7, label: 2, picture: "", classes: [2, 1, 2], percent: [99, 51, 40] };
  assert.deepEqual(prediction(data, image, 0), { text: "cat · 99 %", isRight: true, isOther: false });
  assert.deepEqual(prediction(data, image, 1), { text: "bee · 51 %", isRight: false, isOther: true });
});

test("a scale begins at a multiple of ten below all accuracies", () => {
  assert.equal(startOfScale([[88, 80], [41]]), 40);
  assert.equal(startOfScale([[100, 99]]), 90);
  assert.equal(startOfScale([[3]]), 0);
});
