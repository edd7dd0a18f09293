import assert from "node:assert/strict";
import { test } from "node:test";

import { stageAxis } from "../../../app/budget_dial/frontend/stages.js";

test("stages have their name in their middle, and lines between them", () => {
  const layers = ["stem", "layer1.0.a", "layer1.0.b", "layer1.1.a", "layer1.1.b", "layer2.0.a", "layer2.0.b"];
  const { axis, shapes } = stageAxis(layers, 210); // 30 pixels a layer: "stem" of 28 just fits
  assert.deepEqual(axis.ticktext, ["stem", "layer1.0", "layer1.1", "layer2.0"]);
  assert.deepEqual(axis.tickvals, [0, 1.5, 3.5, 5.5]);
  assert.deepEqual(
    shapes.map(({ x0 }) => x0),
    [0.5, 2.5, 4.5],
  );
});

test("where there is little room, the stages are larger, and what has none goes without a name", () => {
  const layers = ["stem", "layer1.0.a", "layer1.0.b", "layer1.1.a", "layer1.1.b", "layer2.0.a", "layer2.0.<b>"];
  const { axis } = stageAxis(layers, 150);
  assert.deepEqual(axis.ticktext, ["layer1", "layer2"]);
  assert.deepEqual(axis.tickvals, [2.5, 5.5]);
  const { axis: escaped } = stageAxis(["<b>"], 300);
  assert.deepEqual(escaped.ticktext, ["&lt;b&gt;"]);
});
