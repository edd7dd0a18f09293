import assert from "node:assert/strict";
import { test } from "node:test";

import { pictureTitle, titledDrawing } from "../../../app/budget_dial/frontend/downloads.js";

const STYLE = { ink: "#111", paper: "#fff" };

test("a picture says whose it is and when it was saved", () => {
  const date = new Date("2026-11-29T23:59:00Z");
  assert.equal(
    pictureTitle(["demo", "learned ranking", "30 % of the MACs"], date),
    "demo · learned ranking · 30 % of the MACs · 2026-11-29",
  );
  const long = pictureTitle(["x".repeat(500), "30 %"], date);
  assert.equal(long, `${"x".repeat(109)}… · 2026-11-29`);
});

test("a drawing moves down under its title", () => {
  const { text, width, height } = titledDrawing({ text: "<svg>lanes</svg>", width: 300, height: 100 }, STYLE, "a < b");
  assert.deepEqual([width, height], [300, 126]);
  assert.ok(text.startsWith('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="126">'));
  assert.ok(text.includes(">a &lt; b</text>") && text.includes('translate(0 26)"><svg>lanes</svg></g></svg>'));
});
