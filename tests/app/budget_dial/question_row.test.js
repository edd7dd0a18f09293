import assert from "node:assert/strict";
import { test } from "node:test";
import { Asking } from "../../../app/budget_dial/frontend/asking.js";
import { comparisonAddress, isAskedBy } from "../../../app/budget_dial/frontend/question_row.js";
import { tinyTable } from "./tiny_table.js";

test("the comparison of an address is that of its network, on the page beside", () => {
  const base = "http://localhost:8501";
  assert.equal(comparisonAddress(`${base}/?study=demo&budget=30`), `${base}/see?study=demo&budget=30&images=all`);
  assert.equal(
    comparisonAddress(`${base}/explore?budget=30&images=one&run=a-b`),
    `${base}/see?budget=30&images=all&run=a-b`,
  );
  assert.equal(comparisonAddress(`${base}/proxy/8501/?budget=5`), `${base}/proxy/8501/see?budget=5&images=all`);
});

test("the choice that asked the question is marked, and no other", () => {
  const choices = ["fps:", "latency:", "loss:0.2", "loss:0.5", "loss:1", "fastest", "balanced"];
  const marked = (asked) => choices.filter((asks) => isAskedBy(asks, asked));
  assert.deepEqual(marked("fps:30"), ["fps:"]);
  assert.deepEqual(marked("loss:0.5"), ["loss:0.5"]);
  assert.deepEqual(marked("balanced"), ["balanced"]);
  assert.deepEqual([...marked(""), ...marked("macs:30"), ...marked("loss:0.25")], []);
});

test("an answer says which question it is to, whoever asked it, until the slider moves", () => {
  const original = { macs: 100, params: 4_000_000, latency: 8, before: 0.9, after: 0.9 };
  const state = { data: { table: tinyTable(), original, remedy: "" }, quantity: "macs", answer: null };
  const asking = new Asking(state);
  asking.answer({ kind: "loss", points: 1 });
  assert.equal(state.answer.asked, "loss:1");
  asking.take("latency:6");
  assert.equal(state.answer.asked, "latency:6");
  asking.forget();
  assert.equal(state.answer, null);
});
