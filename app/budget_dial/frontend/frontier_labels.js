// The labels of the frontier: the names of its lines at their ends, and of the band of networks without loss.

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box */

/** @import { FrontierData, FrontierLine, FrontierOptions, FrontierRanges, LossBand } from "./types" */
import { inPoints } from "./losses.js";
import { costOf, heightOf, rangesOf } from "./frontier_points.js";

const RING_PX = 18; // of the mark around the slider's network, which a label stands clear of
const LETTER_WIDTH_PX = 6.5;
const LINE_PX = 16; // height of a label
const ABOVE_GROUND = 0.15; // of the vertical axis

/**
 * The points beside which the label of a line may stand, the best first: the cheapest of its own that is shown. Lines of
 * networks as they were cut all end at the bottom, so their labels stand where the lines leave it.
 * @param {FrontierData} frontier
 * @param {FrontierLine} line
 * @param {FrontierOptions} options
 */
function labelPoints(frontier, line, options) {
  const { x, y } = rangesOf(frontier, options);
  const [bottom, top] = y;
  const isWithin = (/** @type {number | null} */ value, /** @type {[number, number]} */ [low, high]) =>
    value !== null && low <= value && value <= high;
  const { network, top1 } = frontier.points;
  const isOwn = (/** @type {number} */ row) => frontier.networks.ranking[network[row]] !== "original";
  const own = line.kind ? line.rows.filter((row) => line.rows.length === 1 || isOwn(row)) : [];
  const cost = (/** @type {number} */ row) => costOf(frontier, row, options.axis);
  const inside = own.filter((row) => isWithin(cost(row), x[options.axis]) && isWithin(top1[row], y));
  const least = line.kind === "as cut" ? bottom + ABOVE_GROUND * (top - bottom) : bottom;
  const apart = inside.filter((row) => top1[row] >= least);
  return [...apart, ...inside.filter((row) => !apart.includes(row))];
}

/**
 * The best point for the label of a line; null: none is shown.
 * @param {FrontierData} frontier
 * @param {FrontierLine} line
 * @param {FrontierOptions} options
 */
export function labelledPoint(frontier, line, options) {
  return labelPoints(frontier, line, options)[0] ?? null;
}

/**
 * The lines that have a label, and the point that it stands beside: the best one where it covers no other label, those of
 * lines that lie above first.
 * @param {FrontierData} frontier
 * @param {FrontierLine[]} lines
 * @param {FrontierOptions} options
 * @param {FrontierRanges} ranges
 * @param {{ width: number, height: number }} plot pixels
 * @returns {{ line: FrontierLine, point: number }[]}
 */
export function placeLabels(frontier, lines, options, ranges, plot) {
  /** @type {Box[]} */
  const taken = [];
  return [...lines].reverse().flatMap((line) => {
    const points = labelPoints(frontier, line, options);
    const boxes = points.map((point) => labelBox(frontier, line, point, options, ranges, plot));
    const free = boxes.findIndex((box) => isInside(box, plot) && !taken.some((other) => overlap(box, other)));
    const place = Math.max(0, free);
    if (points.length) taken.push(boxes[place]);
    return points.length ? [{ line, point: points[place] }] : [];
  });
}

/**
 * Where a label stands, pixels from the upper left corner of the plot.
 * @param {FrontierData} frontier
 * @param {FrontierLine} line
 * @param {number} point
 * @param {FrontierOptions} options
 * @param {FrontierRanges} ranges
 * @param {{ width: number, height: number }} plot
 * @returns {Box}
 */
function labelBox(frontier, line, point, options, ranges, plot) {
  const part = (/** @type {number} */ value, /** @type {[number, number]} */ [from, to]) =>
    (value - from) / (to - from);
  const height = heightOf(frontier.points.top1[point], options.error);
  const up = options.error ? part(Math.log10(height), ranges.error) : part(height, ranges.y);
  const x = plot.width * part(costOf(frontier, point, options.axis) ?? 0, ranges.x[options.axis]);
  const y = plot.height * (1 - up);
  const width = LETTER_WIDTH_PX * labelText(frontier, line, options).length;
  const away = RING_PX / 2;
  return line.ranking
    ? { left: x + away, right: x + away + width, top: y + away - 4, bottom: y + away - 4 + LINE_PX }
    : { left: x - away - width, right: x - away, top: y - away + 4 - LINE_PX, bottom: y - away + 4 };
}

/**
 * @param {Box} box
 * @param {{ width: number, height: number }} plot
 */
function isInside(box, plot) {
  return box.left >= 0 && box.right <= plot.width && box.top >= 0 && box.bottom <= plot.height;
}

/**
 * @param {Box} one
 * @param {Box} other
 */
function overlap(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

/**
 * @param {FrontierData} frontier
 * @param {FrontierLine} line
 * @param {FrontierOptions} options
 */
function labelText({ rankings }, line, { others }) {
  const caption = rankings.find(([name]) => name === line.ranking)?.[1];
  return caption && others.length ? `${caption}, ${line.kind}` : line.kind;
}

/**
 * All labels, as one trace that lies above the marks which cross it.
 * @param {FrontierData} frontier
 * @param {{ line: FrontierLine, point: number }[]} labelled
 * @param {FrontierOptions} options
 * @param {FrontierRanges} ranges
 * @param {LossBand | null} band
 */
export function labelTrace(frontier, labelled, options, ranges, band) {
  const { axis, error } = options;
  const labels = labelled.map(({ line, point }) => {
    return {
      x: costOf(frontier, point, axis),
      top1: frontier.points.top1[point],
      text: labelText(frontier, line, options),
      place: line.ranking ? "bottom right" : "top left",
      away: RING_PX,
    };
  });
  if (band) {
    const text = `within ${inPoints(band.points)} points`;
    labels.push({ x: ranges.x[axis][0], top1: band.top1, text, place: "top right", away: 6 });
  }
  return {
    x: labels.map(({ x }) => x),
    y: labels.map(({ top1 }) => heightOf(top1, error)),
    text: labels.map(({ text }) => text),
    textposition: labels.map(({ place }) => place),
    name: "labels",
    uid: "labels",
    mode: "markers+text",
    marker: { size: labels.map(({ away }) => away), opacity: 0 }, // labels stand at their edge
    hoverinfo: "skip",
  };
}
