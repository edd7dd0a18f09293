import assert from "node:assert/strict";
import { test } from "node:test";

import { TOUR_S, budgetsOf, layerOfTour, momentAt } from "../../../app/budget_dial/frontend/tour_scenes.js";
import { tinyTable } from "./tiny_table.js";

const BUDGETS = { whole: 100, goal: 50, less: 25, low: 10 };

test("a tour begins with the original, sweeps the budget, and rests where little is lost", () => {
  assert.deepEqual(momentAt(0, BUDGETS), { percent: 100, lens: "filters", hasCard: false });
  assert.equal(momentAt(18, BUDGETS).percent, 10);
  assert.equal(momentAt(10.5, BUDGETS).percent, 55); // in the middle of the sweep
  assert.deepEqual(momentAt(27, BUDGETS), { percent: 50, lens: "filters", hasCard: false });
  assert.deepEqual(momentAt(37, BUDGETS), { percent: 25, lens: "filters", hasCard: true });
  assert.deepEqual(momentAt(50, BUDGETS), { percent: 10, lens: "together", hasCard: false });
  assert.deepEqual(momentAt(TOUR_S, BUDGETS), { percent: 50, lens: "filters", hasCard: false });
  assert.deepEqual(momentAt(1e9, BUDGETS), momentAt(TOUR_S, BUDGETS));
  assert.equal(TOUR_S, 60);
});

test("nothing jumps", () => {
  let before = momentAt(0, BUDGETS).percent;
  for (let seconds = 0; seconds <= TOUR_S; seconds += 1 / 60) {
    const { percent } = momentAt(seconds, BUDGETS);
    assert.ok(Math.abs(percent - before) < 0.25, `${seconds}`);
    before = percent;
  }
});

test("it rests at the smallest network that loses a point at most", () => {
  const table = /** @type {any} */ ({ ...tinyTable(), after: [0.6, 0.895, null], percent: [20, 50.25, 100] });
  assert.deepEqual(budgetsOf(table), { whole: 100, goal: 50.25, less: 25.125, low: 20 });
  const bad = { ...table, after: [0.6, 0.7, null] }; // none is good: half of the MACs, rounded down
  assert.deepEqual(budgetsOf(bad), { whole: 100, goal: 20, less: 20, low: 20 });
  const unknown = { ...table, after: [null, null, null], before: [null, null, null] };
  assert.deepEqual(budgetsOf(unknown), { whole: 100, goal: 20, less: 20, low: 20 });
});

test("its card is of the layer that loses most on the way and stays", () => {
  const kept = [
    [8, 8, 8, 2], // where it rests
    [4, 0, 6, 1], // what it goes to
  ];
  const table = /** @type {any} */ ({ layers: ["a", "b", "c", "d"], totals: [8, 8, 8, 8], kept });
  assert.equal(layerOfTour(table, 0, 1), "a");
  assert.equal(layerOfTour(table, 0, 0), "d"); // none loses any: the one that has lost most
});
