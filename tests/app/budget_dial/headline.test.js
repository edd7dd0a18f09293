import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { headlineNetwork, headlineOf, originalNetwork } from "../../../app/budget_dial/frontend/headline.js";
import { tinyTable } from "./tiny_table.js";

const original = originalNetwork({
  macs: 100,
  params: 4_000_000,
  latency: 6.98,
  predicted: null,
  before: 0.9296,
  after: 0.9296,
});

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
    predicted: null,
    smaller: null,
    ...said,
  };
}

const cases = JSON.parse(readFileSync(new URL("../../report/headlines.json", import.meta.url), "utf8"));

for (const { said, percent, trained, cut, latency, smaller, original: whole } of cases) {
  test(`as a report says it: ${said}`, () => {
    const other = originalNetwork({
      macs: 100,
      params: 1,
      latency: whole.latency,
      predicted: null,
      before: whole.top1,
      after: whole.top1,
    });
    const now = {
      percent,
      trained: trained?.[0] ?? null,
      trainedIsMeasured: trained?.[1] ?? false,
      cut: cut?.[0] ?? null,
      cutIsMeasured: cut?.[1] ?? false,
      latency: latency?.[0] ?? null,
      latencyIsMeasured: latency?.[1] ?? false,
      predicted: null,
      smaller: smaller ? { percent: smaller[0], top1: smaller[1] } : null,
    };
    assert.equal(headlineOf(now, other), said);
  });
}

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

test("what was measured on both is said, else what is predicted for both", () => {
  const whole = { ...original, predicted: 6.4 };
  const now = network({ predicted: 4.52 });
  assert.equal(headlineOf(now, whole), "30 % of the work: 92.0 % instead of 93.0 %, 5.0 instead of 7.0 ms");
  const predicted = "30 % of the work: 92.0 % instead of 93.0 %, 4.5 instead of 6.4 ms predicted";
  assert.equal(headlineOf({ ...now, latency: null }, whole), predicted);
  assert.equal(headlineOf(now, { ...whole, latency: null }), predicted);
  const untold = { trained: null, cut: null, latency: null };
  assert.equal(
    headlineOf({ ...now, ...untold }, whole),
    "30 % of the work: accuracy not measured, 4.5 instead of 6.4 ms predicted",
  );
  assert.equal(
    headlineOf({ ...whole, latency: null }, { ...whole, latency: null }),
    "The original, 100 % of the work: 93.0 %, 6.4 ms predicted",
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
    predicted: null,
    smaller: null,
  });
  assert.equal(headlineNetwork(tinyTable(), 2).trained, 0.9); // nothing is removed
});

test("a network that nobody trained says which smaller one is better", () => {
  const table = { ...tinyTable(), after: [0.8, null, null], after_measured: [1, 0, 0] };
  assert.deepEqual(headlineNetwork({ ...table, before: [0.1, 0.6, 0.9] }, 1).smaller, {
    percent: table.macs_percent[0],
    top1: 0.8,
  });
  assert.equal(headlineNetwork({ ...table, before: [0.1, 0.81, 0.9] }, 1).smaller, null); // it is no better
  assert.equal(headlineNetwork(table, 0).smaller, null); // there is none
});

test("of two that are as accurate the smaller one is named, as in a report", () => {
  const table = {
    ...tinyTable(),
    before: [0.1, 0.6, 0.7],
    after: [0.8, 0.8, null],
    after_measured: [1, 1, 0],
    macs_percent: [20, 50, 90],
  };
  assert.equal(headlineNetwork(table, 2).smaller?.percent, 20);
});
