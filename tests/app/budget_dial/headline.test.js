import assert from "node:assert/strict";
import { test } from "node:test";

import { headlineNetwork, headlineOf, originalNetwork } from "../../../app/budget_dial/frontend/headline.js";
import { tinyTable } from "./tiny_table.js";

const original = originalNetwork({ macs: 100, params: 4_000_000, latency: 6.98, before: 0.9296, after: 0.9296 });

/** A network of 30 % with everything measured, but for what is said. */
function network(said = {}) {
  return {
    percent: 29.97,
    trained: 0.9198,
    trainedIsMeasured: true,
    cut: 0.6141,
    cutIsMeasured: true,
    latency: 4.98,
    latencyIsMeasured: true,
    ...said,
  };
}

test("a trained network stands beside the original", () => {
  assert.equal(headlineOf(network(), original), "30 % of the work: 92.0 % instead of 93.0 %, 5.0 instead of 7.0 ms");
});

test("what lies between two measured networks has a ~", () => {
  const now = network({
    percent: 33.2,
    trained: 0.921,
    trainedIsMeasured: false,
    latency: 5.17,
    latencyIsMeasured: false,
  });
  assert.equal(headlineOf(now, original), "33 % of the work: ~92.1 % instead of 93.0 %, ~5.2 instead of 7.0 ms");
});

test("a network that is not trained says so", () => {
  const now = network({ trained: null, percent: 85, cut: 0.922, latency: 7.28 });
  assert.equal(
    headlineOf(now, original),
    "85 % of the work, not trained: 92.2 % as cut instead of 93.0 %, 7.3 instead of 7.0 ms",
  );
});

test("what was not measured is not said", () => {
  assert.equal(headlineOf(network({ latency: null }), original), "30 % of the work: 92.0 % instead of 93.0 %");
  const nothing = network({ percent: 5.04, trained: null, cut: null, latency: null });
  assert.equal(headlineOf(nothing, original), "5.0 % of the work: accuracy not measured");
  const untimed = { ...original, latency: null, trained: null };
  assert.equal(headlineOf(network(), untimed), "30 % of the work: 92.0 %, 5.0 ms");
});

test("the original is itself", () => {
  assert.equal(headlineOf(original, original), "The original, 100 % of the work: 93.0 %, 7.0 ms");
});

test("what reads the same is not said twice", () => {
  const now = network({ trained: 0.9299, latency: 7.02, latencyIsMeasured: false });
  assert.equal(headlineOf(now, original), "30 % of the work: still 93.0 %, still ~7.0 ms");
});

test("the held network takes the place of the original", () => {
  const held = network({ percent: 46.9, trained: 0.9246, latency: 5.89 });
  assert.equal(
    headlineOf(network(), held),
    "30 instead of 47 % of the work: 92.0 % instead of 92.5 %, 5.0 instead of 5.9 ms",
  );
  assert.equal(headlineOf(held, held), "47 % of the work: 92.5 %, 5.9 ms");
  assert.equal(headlineOf(original, held), "The original: 93.0 % instead of 92.5 %, 7.0 instead of 5.9 ms");
  const bothCut = headlineOf(network({ trained: null }), { ...held, trained: null, cut: 0.8515 });
  assert.equal(
    bothCut,
    "30 instead of 47 % of the work, not trained: 61.4 % as cut instead of 85.2 %, 5.0 instead of 5.9 ms",
  );
});

test("a row of the table has what the headline says", () => {
  assert.deepEqual(headlineNetwork(tinyTable(), 1), {
    percent: 50,
    trained: 0.85,
    trainedIsMeasured: true,
    cut: 0.6,
    cutIsMeasured: true,
    latency: 5,
    latencyIsMeasured: false,
  });
  assert.equal(headlineNetwork(tinyTable(), 2).trained, 0.9); // nothing is removed
});
