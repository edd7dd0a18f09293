import assert from "node:assert/strict";
import { test } from "node:test";

import { Choices } from "../../../app/budget_dial/frontend/choices.js";

/** A clock that says these times, one after the other. */
function clock(...times) {
  return () => times.shift();
}

/** A report with each choice as name, value and number. */
function told({ number, choices }) {
  return [number, ...choices.map((choice) => [choice.name, choice.value, choice.number])];
}

test("every report repeats all choices, as only the last of a burst arrives", () => {
  const choices = new Choices(0, clock(10, 20, 30));
  assert.deepEqual(told(choices.report({ lens: "macs", budget: 50 })), [10, ["lens", "macs", 10], ["budget", 50, 10]]);
  assert.deepEqual(told(choices.report({ by: "size" })), [
    20,
    ["lens", "macs", 10],
    ["budget", 50, 10],
    ["by", "size", 20],
  ]);
  const last = told(choices.report({ lens: "params", compared: null }));
  assert.deepEqual(last.slice(1), [
    ["budget", 50, 10],
    ["by", "size", 20],
    ["lens", "params", 30],
    ["compared", null, 30],
  ]);
});

test("numbers rise, whatever the clock says", () => {
  const choices = new Choices(15, clock(10, 10, 40, 5));
  assert.deepEqual(
    [1, 2, 3, 4].map(() => choices.report({}).number),
    [16, 17, 40, 41],
  );
});

test("what something else has changed counts more than choices that were heard before, and less than later ones", () => {
  const choices = new Choices(0, clock(1, 2, 3));
  choices.report({ lens: "macs", by: "size" });
  choices.report({ lens: "params" });
  choices.forget(1);
  assert.deepEqual(
    ["lens", "by", "axis"].map((name) => choices.has(name)),
    [true, false, false],
  );
  assert.deepEqual(told(choices.report({})), [3, ["lens", "params", 2]]);
});

test("what was chosen last is said by name", () => {
  const choices = new Choices(0, clock(1, 2));
  choices.report({ lens: "macs", by: "size" });
  choices.report({ lens: "params", compared: null });
  assert.deepEqual(choices.values(), { by: "size", lens: "params", compared: null });
});
