import assert from "node:assert/strict";
import { test } from "node:test";
import { completes, saysTheSame } from "../../../app/budget_dial/frontend/address.js";

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

test("addresses say the same in whatever order", () => {
  assert.ok(saysTheSame("?study=a&budget=50&pin=x&pin=y", "pin=y&budget=50&pin=x&study=a"));
  assert.ok(saysTheSame("?study=a+b&pin=conv1%3D8", "study=a%20b&pin=conv1=8"));
  assert.ok(!saysTheSame("?study=a&budget=50", "study=a&budget=50&by=params"));
  assert.ok(!saysTheSame("?study=a&pin=x&pin=y", "study=a&pin=x"));
  assert.ok(!saysTheSame("", "study=a"));
});
