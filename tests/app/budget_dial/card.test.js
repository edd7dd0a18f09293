import assert from "node:assert/strict";
import { test } from "node:test";

import {
  filterLines,
  gone,
  nextToGo,
  nextWords,
  partWords,
  scoreWords,
} from "../../../app/budget_dial/frontend/card_words.js";
import { filterRows } from "../../../app/budget_dial/frontend/tables.js";
import { tinyTable } from "./tiny_table.js";

/** Six filters: one that a pin removes, two that leave together, one later, one that stays, one that is unprunable. */
const card = {
  id: "t",
  layer: "a.x",
  ranking: "learned",
  alpha: 0.5,
  kappa: -0.25,
  numbers: [4, 2, 0, 5, 1, 3],
  norms: [0.1, 1, 2, 3, 4, 5],
  own: [-0.2, 0.25, 0.75, 1.25, 1.75, 0],
  scores: [-0.2, 0.25, 0.75, 2, 2.5, null],
  gone_below: [null, 60, 60, 7.5, 0, 0],
  partners: [
    { layer: "b", shared: 5 },
    { layer: "c", shared: 2 },
  ],
  kernels: null,
};

test("filters leave in the order of the card, those of one moment together", () => {
  assert.equal(gone(card, 5), 1);
  assert.deepEqual(nextToGo(card, 5), { places: [1, 2], below: 60 });
  assert.deepEqual(nextToGo(card, 3), { places: [3], below: 7.5 });
  assert.equal(nextToGo(card, 2), null);
  assert.equal(nextToGo(card, 0), null);
});

test("what goes next is said by number, a long list in part", () => {
  assert.equal(nextWords(card, 5), "Next to go (orange): 2 and 0, below 60 % of the MACs.");
  assert.equal(nextWords(card, 3), "Next to go (orange): 5, below 7.5 % of the MACs.");
  assert.equal(nextWords(card, 2), "The 2 filters left stay at every budget.");
  assert.equal(
    nextWords({ ...card, gone_below: [60, 60, 60, 60, 60, 0] }, 1),
    "The one filter left stays at every budget.",
  );
  assert.equal(nextWords(card, 0), "All of it has left, with its block.");
  const many = { ...card, numbers: [...Array(10).keys()], gone_below: Array(10).fill(30) };
  assert.equal(nextWords(many, 10), "Next to go (orange): 0, 1, 2, 3, 4, 5, 6, 7 and 2 more, below 30 % of the MACs.");
});

test("a score is said as the map makes it", () => {
  assert.equal(
    scoreWords(card),
    "Score = 0.500 × squared norm − 0.250, plus that of the filters that leave with it in 2 layers, by their own factors.",
  );
  assert.equal(scoreWords({ ...card, alpha: 1, kappa: 0, partners: [], own: card.scores }), "Score = squared norm.");
  assert.equal(
    scoreWords({ ...card, alpha: 2, kappa: 0, partners: [] }),
    "Score = 2.00 × squared norm, plus that of the filters that leave with it.",
  );
  assert.equal(scoreWords({ ...card, alpha: null, kappa: null }), "Score: the share of its group with smaller norms.");
});

test("a filter says what its score is made of, and when it leaves", () => {
  assert.deepEqual(filterLines(card, 0), ["Filter 4", "squared norm 0.100", "score −0.200", "removed by a pin"]);
  assert.deepEqual(filterLines(card, 3), [
    "Filter 5",
    "squared norm 3.00",
    "score 2.00: 1.25 its own, 0.750 of those that leave with it",
    "leaves below 7.5 % of the MACs",
  ]);
  assert.equal(filterLines(card, 4).at(-1), "stays at every budget");
  assert.deepEqual(filterLines(card, 5), ["Filter 3", "squared norm 5.00", "can never leave"]);
  assert.equal(filterLines({ ...card, alpha: null, kappa: null }, 3)[2], "score 2.00");
});

test("a layer's part of the network is said for what is known", () => {
  const table = tinyTable();
  const words = partWords(table, 1, 0);
  assert.equal(words.split(" · ").length, 3);
  assert.match(words, /^\d of 4 filters · [\d.]+ % of the MACs \(\d+\) · [\d.]+ % of the parameters$/);
  const timed = { ...table, layer_times: [[0.5, 1]], predicted: [2], kept: [[2, 2]] };
  assert.match(partWords(timed, 0, 0), / · 0\.500 ms, 25\.0 % of the time$/);
});

test("all filters are a table: what a pin removes is never there, what stays never leaves", () => {
  const [names, ...rows] = filterRows(card);
  assert.deepEqual(names, ["filter", "squared_norm", "own_score", "score", "gone_below_percent"]);
  assert.deepEqual(rows[0], [4, 0.1, -0.2, -0.2, 100]);
  assert.deepEqual(rows[3], [5, 3, 1.25, 2, 7.5]);
  assert.deepEqual(rows[5], [3, 5, 0, null, 0]);
});
