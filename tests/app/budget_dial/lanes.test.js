import assert from "node:assert/strict";
import { test } from "node:test";

import { shadeOf } from "../../../app/budget_dial/frontend/lane_drawing.js";
import {
  keptShare,
  keptWords,
  laneLines,
  laneRows,
  lanesOf,
  listNames,
  mapLabel,
  sectionsOf,
} from "../../../app/budget_dial/frontend/lane_words.js";
import { tinyMap, tinyTable } from "./tiny_table.js";

const [table, map] = [tinyTable(), tinyMap()];
const [lane, fixed] = lanesOf(table, map);

test("a lane runs from its first column to its last, and knows its layers", () => {
  assert.deepEqual([lane.first, lane.last, lane.layers], [0, 2, [0, 1]]);
  assert.deepEqual([fixed.first, fixed.last, fixed.layers], [2, 2, []]);
});

test("filters are counted over all layers of a lane", () => {
  assert.equal(keptShare(table, lane, 1), 5 / 12);
  assert.equal(keptWords(table, lane, 0), "3 of 12 filters in all (25 %)");
  assert.equal(keptWords(table, { ...lane, layers: [1] }, 0), "2 of 8 filters (25 %)");
  const alike = { ...table, totals: [8, 8], kept: [[4, 4]] };
  assert.equal(keptWords(alike, lane, 0), "4 of 8 filters in each (50 %)");
  const gone = {
    ...alike,
    kept: [
      [4, 0],
      [0, 0],
    ],
  };
  assert.equal(keptWords(gone, lane, 0), "4 of 8 filters (50 %); 1 layer removed with whole blocks");
  assert.equal(keptWords(gone, lane, 1), "none, removed with the whole block");
});

test("a lane is told in sentences", () => {
  assert.deepEqual(laneLines(table, map, lane, 0, null), [
    "2 layers whose filters leave together",
    "Kept: 3 of 12 filters in all (25 %)",
    "Layers: a.x, a.y",
    "Read by: b.z, b.shortcut",
  ]);
  assert.equal(laneLines(table, map, lane, 0, 2)[2], "Compared: 12 of 12 filters in all (100 %)");
  assert.deepEqual(laneLines(table, map, fixed, 0, 2), ["b.z", "All its filters stay: it cannot be cut."]);
});

test("many names are cut short, but never for a single one", () => {
  assert.equal(listNames([..."abcdefg"]), "a, b, c, d, e, f, g");
  assert.equal(listNames([..."abcdefgh"]), "a, b, c, d, e, f and 2 more");
});

test("the whole map is told in sentences", () => {
  assert.equal(
    mapLabel(table, [lane, fixed], 1),
    "1 lane of layers whose filters leave together, 1 of them of several layers. " +
      "5 of 12 filters are kept. 1 layer cannot be cut.",
  );
});

test("a file has every lane that can be pruned", () => {
  assert.deepEqual(laneRows(table, map, 1), [
    ["layers", "kept", "total", "read_by"],
    ["a.x a.y", 5, 12, "b.z b.shortcut"],
  ]);
});

test("sections are as fine as there is room for their names", () => {
  const sections = (columns, pitch) =>
    sectionsOf(columns, pitch).map(({ first, length, name }) => [first, length, name]);
  assert.deepEqual(sections(map.columns, 30), [
    [0, 1, "a.x"],
    [1, 1, "a.y"],
    [2, 1, "b.z"],
  ]);
  assert.deepEqual(sections(map.columns, 11), [
    [0, 2, "a"],
    [2, 1, "b"],
  ]);
  assert.deepEqual(sections(["m.a.x", "m.a.y", "m.b"], 11), [
    [0, 2, "a"],
    [2, 1, "b"],
  ]);
});

test("shades are mixed between their neighbours", () => {
  assert.equal(shadeOf(0), "rgb(229, 138, 31)"); // #e58a1f
  assert.equal(shadeOf(0.5), "rgb(176, 86, 143)"); // #b0568f
  assert.equal(shadeOf(1), "rgb(42, 86, 189)"); // #2a56bd
  assert.equal(shadeOf(0.125), "rgb(223, 121, 61)"); // halfway to #d9675a: 223, 120.5, 60.5
});
