import assert from "node:assert/strict";
import { test } from "node:test";

import { columnsOf, sortedNetworks } from "../../../app/budget_dial/frontend/frontier_networks.js";
import { crosses, labelTrace, labelledPoint, placeLabels } from "../../../app/budget_dial/frontend/frontier_labels.js";
import { frontierLayout, shownRanges } from "../../../app/budget_dial/frontend/frontier_layout.js";
import {
  bandTrace,
  heightOf,
  nearby,
  paretoPoints,
  placeByKey,
  placesWithin,
  pointsOf,
  shownLines,
  titleWithin,
} from "../../../app/budget_dial/frontend/frontier_points.js";
import { tableCost } from "../../../app/budget_dial/frontend/frontier_marks.js";
import { noGain, noGainWords, slowWords, trainedRows } from "../../../app/budget_dial/frontend/no_gain.js";
import { tinyFrontier } from "./tiny_frontier.js";
import { tinyTable, tinyTimed } from "./tiny_table.js";

const OPTIONS = { axis: "macs", whole: false, error: false, others: [] };

test("other rankings are shown on demand, below the chosen one; the original lies above all", () => {
  const names = (others) => shownLines(tinyFrontier(), "learned", others).map(({ name }) => name);
  assert.deepEqual(names([]), ["Learned, as cut", "Learned, trained", "Original"]);
  assert.deepEqual(names(["uniform"]), ["Uniform, as cut", "Learned, as cut", "Learned, trained", "Original"]);
});

test("the points of lines count once", () => {
  const lines = shownLines(tinyFrontier(), "learned", ["uniform"]);
  assert.deepEqual(pointsOf(lines), [2, 4, 0, 1, 3]); // the original ends two lines
});

test("a band along what was trained together says how far networks between its points may lie from it", () => {
  const frontier = tinyFrontier();
  const rows = [0, 1];
  const line = { name: "Learned, trained together", kind: "trained together", ranking: "learned", rows, look: {} };
  const off = { together_off: { networks: 8, most: 0.004 } };
  const band = (options, table = off, of = line) =>
    bandTrace(frontier, of, table, "learned", { learned: "blue" }, { ...OPTIONS, ...options });
  const [low, high] = rows.map((row) => frontier.points.top1[row]);
  const { x, y } = band({});
  assert.deepEqual(x, [...x.slice(0, 2), x[1], x[0]]);
  assert.deepEqual(y, [low + 0.4, high + 0.4, high - 0.4, low - 0.4]);
  assert.deepEqual(band({ error: true }).y[0], 100 - (low + 0.4));
  assert.equal(band({}, { together_off: null }), null);
  assert.equal(band({}, off, { ...line, ranking: "uniform" }), null); // the dial tells of one ranking
  assert.equal(band({}, off, { ...line, kind: "trained" }), null);
});

test("no point beats one of the Pareto frontier, on any axis", () => {
  const frontier = tinyFrontier();
  assert.deepEqual(paretoPoints(frontier, [0, 1, 2, 3, 4], "macs"), [3, 1, 4]);
  assert.deepEqual(paretoPoints(frontier, [0, 1, 2, 4], "macs"), [0, 2, 1, 4]);
  // The uniform network has no latency; the one of 60 M MACs is slower than the original, and worse.
  assert.deepEqual(paretoPoints(frontier, [0, 1, 2, 3, 4], "latency"), [3, 4]);
});

test("a label stands at the cheapest point of its line that is shown", () => {
  const frontier = tinyFrontier();
  const [, learned, trained, original] = frontier.lines;
  assert.equal(labelledPoint(frontier, trained, OPTIONS), 3);
  assert.equal(labelledPoint(frontier, learned, OPTIONS), 1); // 40 % lies below the range
  assert.equal(labelledPoint(frontier, learned, { ...OPTIONS, whole: true }), 0);
  assert.equal(labelledPoint(frontier, original, OPTIONS), 4);
});

test("labels name the ranking where several are shown, and the band of networks without loss", () => {
  const frontier = tinyFrontier();
  const texts = (options, band) => {
    const lines = shownLines(frontier, "learned", options.others);
    const labelled = placeLabels(frontier, lines, options, frontier.fit, { width: 600, height: 260 });
    return labelTrace(frontier, labelled, options, frontier.fit, band);
  };
  assert.deepEqual(texts(OPTIONS, null).text, ["original", "trained", "as cut"]);
  const shown = texts({ ...OPTIONS, whole: true, others: ["uniform"] }, { points: 0.5, row: 1, top1: 93 });
  assert.deepEqual(shown.text, [
    "original",
    "Learned, trained",
    "Learned, as cut",
    "Uniform, as cut",
    "within 0.5 points",
  ]);
  assert.deepEqual([shown.x.at(-1), shown.y.at(-1)], [15, 93]);
});

test("a label that would cover another stands beside the next point of its line", () => {
  const frontier = tinyFrontier();
  const { networks, points, lines } = frontier;
  networks.macs[2] = 61; // the uniform network costs and reaches nearly what the learned one of 60 does
  points.top1[2] = 92.1;
  const options = { ...OPTIONS, others: ["uniform"] };
  const placed = (lines) =>
    placeLabels(frontier, lines, options, frontier.fit, { width: 900, height: 260 }).map(({ line, point }) => [
      line.name,
      point,
    ]);
  const [uniform, learned] = lines;
  assert.deepEqual(placed([uniform, learned]), [
    ["Learned, as cut", 1],
    ["Uniform, as cut", 2], // at its upper left
  ]);
  uniform.rows = [2, 3, 4]; // and 91 % at 20 M MACs
  assert.deepEqual(placed([uniform, learned])[1], ["Uniform, as cut", 3]);
  assert.deepEqual(placed([uniform])[0], ["Uniform, as cut", 2]);
});

test("a label that another line would cross stands elsewhere, where there is a place", () => {
  const frontier = tinyFrontier();
  const { networks, points, lines } = frontier;
  const [uniform, learned] = lines;
  uniform.look = learned.look = { mode: "lines+markers" };
  const placed = (width = 900) =>
    placeLabels(frontier, [uniform, learned], { ...OPTIONS, others: ["uniform"] }, frontier.fit, { width, height: 260 })
      .filter(({ line }) => line === learned)
      .map(({ point, side }) => [point, side]);
  // Ten pixels are a million MACs, 52 a point of accuracy: 92 % at 60 M MACs is at (450, 104), its label right below it.
  points.top1[2] = 90;
  assert.deepEqual(placed(), [[1, "bottom right"]]); // the other line goes from (250, 208) to (850, 52), by (450, 156)
  points.top1[2] = 90.8;
  assert.deepEqual(placed(), [[1, "top left"]]); // from (250, 166), by (500, 119), amid the label
  learned.rows = [0, 3, 1, 4]; // 91 % at 20 M MACs, before the other line begins
  assert.deepEqual(placed(), [[3, "bottom right"]]);
  learned.rows = [0, 1, 4];
  networks.macs[1] = 18; // at (30, 104): left of it is no room
  networks.macs[2] = 16;
  points.top1[2] = 91.7; // from (10, 120)
  assert.deepEqual(placed(), [[1, "bottom right"]]);
});

test("a straight line meets a box where it goes through it or ends in it", () => {
  const box = { left: 10, right: 20, top: 10, bottom: 20 };
  assert.ok(crosses(box, [0, 0], [30, 30]) && crosses(box, [15, 0], [15, 12]) && crosses(box, [12, 12], [12, 12]));
  assert.ok(!crosses(box, [0, 12], [9, 12]) && !crosses(box, [15, 0], [15, 9]) && !crosses(box, [0, 19], [19, 0]));
  assert.ok(!crosses(box, [0, 42], [42, 0]) && crosses(box, [0, 39], [39, 0]));
});

test("ticks of an error are not rounded to the same accuracy", () => {
  const frontier = tinyFrontier();
  const ranges = { ...frontier.fit, ticks: [0.005, 0.01, 0.012, 7] };
  const { yaxis } = frontierLayout(frontier, { ...OPTIONS, error: true }, ranges, [], null, 600);
  assert.deepEqual(yaxis.ticktext, ["99.995", "99.99", "99.988", "93"]);
});

test("labels have room within the axis, whatever the height, and the slider's networks have a place", () => {
  const frontier = tinyFrontier();
  const ranges = (labelled, options = OPTIONS) => shownRanges(frontier, options, tinyTable(), labelled, 54 + 260);
  assert.deepEqual(ranges([91, 93]).y, [89, 94]); // 26 of 260 pixels are a tenth: 0.5, and there is as much
  const [bottom, top] = ranges([89.1, 93.9]).y; // 4.8 and two tenths of the whole, which is 6
  assert.ok(Math.abs(bottom - 88.5) < 1e-6 && Math.abs(top - 94.5) < 1e-6);
  assert.deepEqual(ranges([20, 99]).y, [89, 94]); // not shown at all
  const error = { ...OPTIONS, error: true };
  assert.deepEqual(ranges([91], error).error, [1.1, 0.8]);
  const [lowest, highest] = ranges([93.6], error).error;
  assert.equal(lowest, 1.1);
  assert.ok(Math.abs(highest - (1.1 - (1.1 - Math.log10(6.4)) / 0.9)) < 1e-6);
  const [left, right] = ranges([]).x.macs; // the smallest network has 20 MACs, not millions; a margin of 0.02 x 90
  assert.ok(Math.abs(left - (20e-6 - 1.8)) < 1e-9 && right === 105);
  assert.deepEqual(ranges([], { ...OPTIONS, axis: "latency" }).x.latency, [3.9, 6.1]); // its latency is not known
});

test("an error stands on a logarithmic axis, where none is zero", () => {
  assert.equal(heightOf(93, false), 93);
  assert.equal(heightOf(93, true), 7);
  assert.equal(heightOf(100, true), 0.01);
});

test("all points within some pixels are told, the nearest first", () => {
  const at = (x, y) => ({ x, y, told: `${x}`, network: 0 });
  const places = [at(0, 0), at(8, 0), at(3, 4), at(20, 0)];
  assert.deepEqual(
    nearby(places, 1, 0, 10).map(({ x }) => x),
    [0, 3, 8],
  );
  assert.deepEqual(nearby(places, 100, 100, 10), []);
});

test("a region holds the points between two corners, whichever way it was dragged", () => {
  const at = (x, y) => ({ x, y, told: "", network: null });
  const places = [at(1, 1), at(5, 5), at(9, 2)];
  assert.deepEqual(placesWithin(places, [0, 0], [5, 5]), [places[0], places[1]]);
  assert.deepEqual(placesWithin(places, [10, 0], [4, 6]), [places[1], places[2]]);
});

test("networks are sorted by any column; those without a value come last", () => {
  const frontier = tinyFrontier();
  assert.deepEqual(sortedNetworks(frontier, [0, 1, 2, 3], "macs", false), [0, 2, 1, 3]);
  assert.deepEqual(sortedNetworks(frontier, [0, 1, 2, 3], "macs", true), [3, 1, 2, 0]);
  assert.deepEqual(sortedNetworks(frontier, [0, 1, 2, 3], "latency", false), [0, 3, 1, 2]);
  assert.deepEqual(sortedNetworks(frontier, [0, 1, 2, 3], "latency", true), [1, 3, 0, 2]);
  assert.deepEqual(sortedNetworks(frontier, [3, 2, 1, 0], "ranking", false), [1, 0, 3, 2]);
});

test("a row says a network's figures and how they differ from the original's", () => {
  const frontier = tinyFrontier();
  const row = (network) =>
    columnsOf(frontier).map(({ value, show, difference }) => [
      show(value(frontier, network), frontier, network),
      difference?.(frontier, network) ?? "",
    ]);
  assert.deepEqual(row(0), [
    ["Learned", ""],
    ["20.0 %", ""],
    ["20.00 M", "−80.0 %"],
    ["100.0 k", "−50.0 %"],
    ["~4.00 ms", "−20.0 %"],
    ["40.00 %", "−53.0 points"],
    ["91.00 %", "−2.0 points"],
  ]);
  assert.deepEqual(row(2)[4], ["—", ""]);
  assert.equal(row(3)[0][0], "Original");
  frontier.networks.opens[0] = "";
  assert.equal(row(0)[0][0], "Learned, not today's");
  frontier.networks.together[1] = 92.5; // where some were trained together, they have a column
  assert.deepEqual(row(1).slice(5), [
    ["92.00 %", "−1.0 points"],
    ["92.50 %", "−0.5 points"],
    ["—", ""],
  ]);
  frontier.networks.height[0] = 24; // and where images have several heights
  assert.deepEqual(row(0).slice(1, 4), [
    ["20.0 %", ""],
    ["24 px", ""],
    ["20.00 M", "−80.0 %"],
  ]);
});

test("the budgets that gain no time are those next to the original that were measured to be no faster", () => {
  const table = {
    ...tinyTable(),
    macs: [1, 2, 3, 4, 5],
    macs_percent: [20, 60, 80, 90, 100],
    latency: [4, 6, 7.2, 7.5, 7],
    latency_measured: [1, 1, 1, 0, 1],
  };
  const whole = { latency: 7, predicted: null };
  const [part, ...others] = noGain(table, whole);
  assert.deepEqual([part, others], [{ first: 2, last: 4, measured: [2] }, []]); // 90 % was not measured
  assert.equal(
    noGainWords(table, 7, part),
    "No time is gained here\nFrom 80 % of the MACs up no measured network is faster than the original (7.00 ms): " +
      "7.20 ms at 80 %. Time also depends on the channel counts that are left.",
  );
  assert.deepEqual(noGain({ ...table, latency: [4, 5, 6, 6.5, 7] }, whole), []);
  assert.deepEqual(noGain({ ...table, latency: [4, 5, null, 8, 7] }, whole), []);
  assert.deepEqual(noGain(table, { latency: null, predicted: null }), []);
});

test("as predicted, parts that gain no time may be anywhere, unless they are narrow", () => {
  const table = {
    ...tinyTable(),
    macs_percent: [20, 50, 55, 60, 78, 80, 90, 100],
    predicted: [2, 4, 4.1, 4, 5, 5, 7.2, 7], // 78 to 80 % is narrow
  };
  const parts = noGain(table, { latency: null, predicted: 7 });
  assert.deepEqual(parts, [
    { first: 6, last: 7, measured: [] },
    { first: 1, last: 3, measured: [] },
  ]);
  assert.equal(
    slowWords(table, parts),
    "From 100 to 90 % and from 60 to 50 % of the MACs the network gets no faster: channel counts that this device is " +
      "slow at.",
  );
  assert.equal(slowWords(table, []), "");
  assert.equal(
    noGainWords(table, null, parts[0]),
    "No time is gained here\nFrom 100 to 90 % of the MACs the network gets no faster: channel counts that this device is " +
      "slow at.",
  );
  const sooner = { ...table, predicted: [2, 4, 4.1, 4, 4.96, 5, 6.95, 7] }; // less than 1 % is no gain
  assert.deepEqual(noGain(sooner, { latency: null, predicted: 7 })[0], { first: 6, last: 7, measured: [] });
});

test("a network of the slider stands at its measured time, else at its predicted one", () => {
  assert.deepEqual(
    [0, 1, 2].map((row) => tableCost(tinyTimed(), row, "latency")),
    [2, 4, 8],
  );
});

test("ticks stand at networks that were trained and measured", () => {
  const table = { ...tinyTable(), macs: [1, 2, 3], after: [0.8, 0.9, null], after_measured: [1, 0, 0] };
  assert.deepEqual(trainedRows(table), [0]);
  const whole = { ...table, macs_percent: [30, 60, 100], after: [0.8, 0.9, 0.95], after_measured: [1, 0, 1] };
  assert.deepEqual(trainedRows(whole), [0]); // the original, trained once more, is no network to choose
});

test("keys lead from network to network along the cost, at one cost upwards; marks of the slider are none", () => {
  const place = (told, x, y, network) => ({ told, x, y, network });
  const places = [place("b", 20, 50, 1), place("mark", 15, 5, null), place("c", 20, 10, 2), place("a", 10, 90, 0)];
  const path = (from, ...keys) => keys.reduce((here, key) => placeByKey(places, here, key), from)?.told;
  assert.equal(path(null, "ArrowRight"), "a");
  assert.equal(path(null, "ArrowLeft"), "c");
  assert.equal(path(null, "ArrowRight", "ArrowRight"), "b"); // pixels count from the top: b is below c
  assert.equal(path(null, "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight"), "c");
  assert.equal(path(null, "End", "ArrowLeft", "ArrowLeft", "ArrowLeft"), "a");
  assert.equal(path(places[2], "Home"), "a");
  assert.equal(placeByKey([places[1]], null, "ArrowRight"), null);
});

test("the conditions in the title of an axis go to a second line where one is too long", () => {
  assert.equal(titleWithin("latency, ms (one thread)", 168), "latency, ms (one thread)"); // 24 letters
  assert.equal(titleWithin("latency, ms (one thread)", 167), "latency, ms<br>(one thread)");
  assert.equal(titleWithin("million MACs", 50), "million MACs");
});
