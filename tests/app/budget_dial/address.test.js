import assert from "node:assert/strict";
import { test } from "node:test";
import { completes } from "../../../app/budget_dial/frontend/address.js";

const page = (/** @type {string} */ rest) => new URL(`http://127.0.0.1:8501/${rest}`);

test("what a page adds to its bare name is no step of the history", () => {
  assert.ok(completes(page("see"), page("see?study=demo&budget=50")));
  assert.ok(completes(page("?study=demo&lens=together"), page("?study=demo&lens=together&budget=50")));
  assert.ok(completes(page("learn"), page("learn?study=demo")));
});

test("what the user chose is one", () => {
  assert.ok(!completes(page("?study=demo&budget=50"), page("?study=demo&budget=30")));
  assert.ok(!completes(page("?study=demo&budget=50"), page("?study=demo&budget=50&held=50")));
  assert.ok(!completes(page("?study=demo"), page("?study=other&budget=50")));
  assert.ok(!completes(page("?study=demo&budget=50"), page("learn")));
  assert.ok(!completes(page("learn"), page("see?study=demo&budget=50")));
});
