import assert from "node:assert/strict";
import { test } from "node:test";

import {
  isBelowAll,
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
  trained: true,
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
  assert.equal(networkWords(data, 100), "The original: right on 93.00 % of all test images.");
  assert.match(networkWords(data, 90), /^The original, of 3 networks the nearest to the slider: right on 93\.00 %/);
  assert.match(
    networkWords(data, 49),
    /^The network at 50\.0 % of the MACs, trained together, of 3 .*: right on 91\.23 %/,
  );
  assert.match(networkWords({ ...data, trained: false }, 49), / as cut, /);
});

test("a budget below all networks that were asked is not taken for theirs", () => {
  assert.deepEqual(
    [100, 10, 5, 4].map((percent) => isBelowAll(data.percent, percent)),
    [false, false, false, true],
  );
  assert.match(
    networkWords(data, 1),
    /^No network as small was asked\. The smallest, at 10\.0 % .*: right on 70\.00 %/,
  );
});

test("differences have a sign, and what rounds to nothing has none", () => {
  assert.deepEqual([-4.06, 0.04, -0.04, 1].map(points), ["−4.1", "±0.0", "±0.0", "+1.0"]);
});

test("a prediction is right or another than the original's", () => {
  const image = { number: 7, label: 2, picture: "", classes: [2, 1, 2], percent: [99, 51, 40] };
  assert.deepEqual(prediction(data, image, 0), { text: "cat · 99 %", isRight: true, before: "" });
  assert.deepEqual(prediction(data, image, 1), {
    text: "bee · 51 %",
    isRight: false,
    before: "original: cat",
  });
});

test("a scale begins at a multiple of ten below all accuracies", () => {
  assert.equal(startOfScale([[88, 80], [41]]), 40);
  assert.equal(startOfScale([[100, 99]]), 90);
  assert.equal(startOfScale([[3]]), 0);
});
