import assert from "node:assert/strict";
import { test } from "node:test";

import { pictureTitle, titledDrawing, titledLayout } from "../../../app/budget_dial/frontend/downloads.js";

const STYLE = {
  colours: {},
  config: {},
  ink: "#111",
  paper: "#fff",
  layout: { height: 380, font: { family: "x", size: 12 } },
};

test("a picture says whose it is and when it was saved", () => {
  const date = new Date("2026-11-29T23:59:00Z");
  assert.equal(
    pictureTitle(["demo", "learned ranking", "30 % of the MACs"], date),
    "demo · learned ranking · 30 % of the MACs · 2026-11-29",
  );
  const long = pictureTitle(["x".repeat(500), "30 %"], date);
  assert.equal(long, `${"x".repeat(109)}… · 2026-11-29`);
});

test("a chart gets room for its title, which is no tag of Plotly's", () => {
  const layout = { margin: { t: 30, l: 8 }, height: 380 };
  const titled = titledLayout(layout, STYLE, "<a href='//e'>x</a>");
  assert.deepEqual(titled.margin, { t: 56, l: 8 });
  assert.equal(titled.title.text, "&lt;a href='//e'&gt;x&lt;/a&gt;");
  assert.deepEqual([titled.paper_bgcolor, titled.font], ["#fff", { size: 12, color: "#111" }]);
  assert.deepEqual(layout, { margin: { t: 30, l: 8 }, height: 380 }); // what is on screen stays as it is
});

test("a drawing moves down under its title", () => {
  const { text, width, height } = titledDrawing({ text: "<svg>lanes</svg>", width: 300, height: 100 }, STYLE, "a < b");
  assert.deepEqual([width, height], [300, 126]);
  assert.ok(text.startsWith('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="126">'));
  assert.ok(text.includes(">a &lt; b</text>") && text.includes('translate(0 26)"><svg>lanes</svg></g></svg>'));
});
