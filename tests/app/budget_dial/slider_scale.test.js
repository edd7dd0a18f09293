import assert from "node:assert/strict";
import { test } from "node:test";

import { rowAt, sliderScale } from "../../../app/budget_dial/frontend/slider_scale.js";
import { trainedRows } from "../../../app/budget_dial/frontend/no_gain.js";
import { rowMeant } from "../../../app/budget_dial/frontend/ticks.js";
import { tinyTable } from "./tiny_table.js";

const original = { macs: 100, params: 4_000_000, latency: 8, before: 0.9, after: 0.9 };

/** Five networks of 20, 40, 60, 80 and 100 % of 100 MACs. */
function fiveNetworks(columns) {
  const macs = [20, 40, 60, 80, 100];
  const none = macs.map(() => null);
  return {
    ...tinyTable(),
    percent: macs,
    macs_percent: macs,
    macs,
    batch: 1,
    latency: none,
    before: none,
    after: none,
    ...columns,
  };
}

test("a cost that is counted stands at its share of the original's", () => {
  const { places, unknown } = sliderScale(tinyTable(), "params", original);
  assert.deepEqual(places, [0.25, 0.5, 1]);
  assert.deepEqual(unknown, [[0, 0.25]]); // no network is so small
});

test("the same MACs stand in the same place whatever the ranking's floor", () => {
  const other = { ...tinyTable(), percent: [5, 50, 100] };
  assert.equal(sliderScale(other, "macs", original).places[1], 0.5);
  assert.equal(sliderScale({ ...other, macs_percent: [5, 50, 100] }, "macs", original).places[1], 0.5);
});

test("pins keep the slider's end from the original", () => {
  const pinned = { ...tinyTable(), macs: [20, 50, 80], macs_percent: [20, 50, 80] };
  assert.deepEqual(sliderScale(pinned, "macs", original).unknown, [
    [0, 0.2],
    [0.8, 1],
  ]);
});

test("a latency stands where it lies between the fastest and the slowest", () => {
  const { places, unknown } = sliderScale(fiveNetworks({ latency: [2, 3, 4, 5, 6] }), "latency", original);
  assert.deepEqual(places, [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(unknown, []);
});

test("where a larger network is faster, the smaller one stands with it", () => {
  const scale = sliderScale(fiveNetworks({ latency: [2, 5, 4, 8, 6] }), "latency", original);
  assert.deepEqual(scale.places, [0, 0.5, 0.5, 1, 1]);
  assert.equal(rowAt(scale, 0.5), 2); // 4 ms lead to the largest network of 4 ms
  assert.equal(rowAt(scale, 0.9), 4);
});

test("frames a second fall from left to right", () => {
  // 500, 250 and 100 frames a second: 250 lies 250 of 400 from the left
  const { places } = sliderScale(fiveNetworks({ latency: [2, 2, 4, 10, 10] }), "fps", original);
  assert.deepEqual(places, [0, 0, 0.625, 1, 1]);
});

test("what is not known is a grey part that ends where the known begins", () => {
  // 20 of 80 MACs at the left would be 25 %; more than 12 % are not given to it
  const { places, unknown } = sliderScale(fiveNetworks({ latency: [null, 2, null, null, 6] }), "latency", original);
  assert.deepEqual([places[0], places[1], places[4]], [0, 0.12, 1]);
  assert.ok(Math.abs(places[2] - (0.12 + 0.88 / 3)) < 1e-9); // a third of the MACs between its neighbours
  assert.deepEqual(unknown, [[places[1], places[4]]]);
});

test("an accuracy stands at the smallest network that has it", () => {
  const after = [0.8, 0.9, 0.85, 0.95, null];
  const { places } = sliderScale(fiveNetworks({ after, before: [null, null, null, null, 1] }), "top1", original);
  assert.deepEqual(
    places.map((place) => Math.round(100 * place)),
    [0, 50, 50, 75, 100],
  );
});

test("a quantity that tells no networks apart leaves the scale to the MACs", () => {
  assert.deepEqual(
    sliderScale(fiveNetworks({ latency: [5, 5, 5, 5, 5] }), "latency", original),
    sliderScale(fiveNetworks({}), "macs", original),
  );
});

test("a tick attracts the thumb within six pixels", () => {
  const table = fiveNetworks({ after: [null, 0.8, null, null, null], after_measured: [0, 1, 0, 0, 0] });
  const scale = { places: [0, 0.5, 0.51, 0.9, 1], unknown: [] };
  const ticks = trainedRows(table);
  assert.deepEqual(ticks, [1]);
  assert.equal(rowMeant(scale, ticks, 0.51, 500), 1); // five pixels away
  assert.equal(rowMeant(scale, ticks, 0.51, 700), 2); // seven
});
