// The labels of the frontier: the names of its lines at their ends, and of the band of networks without loss.

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box */
/** @typedef {"bottom right" | "top left"} Side of a label's point, as Plotly says it */
/** @typedef {{ line: FrontierLine, point: number, side: Side }} PlacedLabel */

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
 * The lines that have a label, and where it stands: at the best point where it covers no other label, those of lines
 * that lie above first, and where no other line crosses it if there is such a place.
 * @param {FrontierData} frontier
 * @param {FrontierLine[]} lines
 * @param {FrontierOptions} options
 * @param {FrontierRanges} ranges
 * @param {{ width: number, height: number }} plot pixels
 * @returns {PlacedLabel[]}
 */
export function placeLabels(frontier, lines, options, ranges, plot) {
  /** @type {Box[]} */
  const taken = [];
  const drawn = lines.map((line) => pixelsOf(frontier, line, options, ranges, plot));
  return [...lines].reverse().flatMap((line) => {
    const text = labelText(frontier, line, options);
    const sides = /** @type {Side[]} */ (line.ranking ? ["bottom right", "top left"] : ["top left"]);
    const points = labelPoints(frontier, line, options);
    const places = sides.flatMap((side) =>
      points.map((point) => {
        const at = pixelOf(frontier, point, options, ranges, plot);
        return { line, point, side, box: boxAt(at, text, side) };
      }),
    );
    const free = places.filter(({ box }) => isInside(box, plot) && !taken.some((other) => overlap(box, other)));
    const others = drawn.filter((_, n) => lines[n] !== line);
    const clear = free.find(({ box }) => !others.some((other) => isCrossed(box, other)));
    const best = clear ?? free.find(({ side }) => side === sides[0]) ?? places[0];
    if (best) taken.push(best.box);
    return best ? [{ line, point: best.point, side: best.side }] : [];
  });
}

/**
 * Where a point is, pixels from the upper left corner of the plot.
 * @param {FrontierData} frontier
 * @param {number} point
 * @param {FrontierOptions} options
 * @param {FrontierRanges} ranges
 * @param {{ width: number, height: number }} plot
 * @returns {[number, number]}
 */
function pixelOf(frontier, point, options, ranges, plot) {
  const part = (/** @type {number} */ value, /** @type {[number, number]} */ [from, to]) =>
    (value - from) / (to - from);
  const height = heightOf(frontier.points.top1[point], options.error);
  const up = options.error ? part(Math.log10(height), ranges.error) : part(height, ranges.y);
  const x = plot.width * part(costOf(frontier, point, options.axis) ?? 0, ranges.x[options.axis]);
  return [x, plot.height * (1 - up)];
}

/**
 * The places of a line's points, and whether they are joined.
 * @param {FrontierData} frontier
 * @param {FrontierLine} line
 * @param {FrontierOptions} options
 * @param {FrontierRanges} ranges
 * @param {{ width: number, height: number }} plot
 */
function pixelsOf(frontier, { rows, look }, options, ranges, plot) {
  const known = rows.filter((point) => costOf(frontier, point, options.axis) !== null);
  const points = known.map((point) => pixelOf(frontier, point, options, ranges, plot));
  return { points, isJoined: look.mode.includes("lines") };
}

/**
 * Where a label stands.
 * @param {[number, number]} at the point beside which it is, pixels
 * @param {string} text
 * @param {Side} side
 * @returns {Box}
 */
function boxAt([x, y], text, side) {
  const width = LETTER_WIDTH_PX * text.length;
  const away = RING_PX / 2;
  return side === "bottom right"
    ? { left: x + away, right: x + away + width, top: y + away - 4, bottom: y + away - 4 + LINE_PX }
    : { left: x - away - width, right: x - away, top: y - away + 4 - LINE_PX, bottom: y - away + 4 };
}

/**
 * Whether a line goes through a box, or one of its points lies in it.
 * @param {Box} box
 * @param {{ points: [number, number][], isJoined: boolean }} line
 */
function isCrossed(box, { points, isJoined }) {
  return points.some((to, n) => crosses(box, isJoined && n > 0 ? points[n - 1] : to, to));
}

/**
 * Whether a straight line between two points meets a box (Liang and Barsky).
 * @param {Box} box
 * @param {[number, number]} from
 * @param {[number, number]} to
 */
export function crosses({ left, right, top, bottom }, [x, y], to) {
  const [dx, dy] = [to[0] - x, to[1] - y];
  let [first, last] = [0, 1]; // the part of it within the sides so far
  for (const [step, room] of [
    [-dx, x - left],
    [dx, right - x],
    [-dy, y - top],
    [dy, bottom - y],
  ]) {
    if (step === 0 && room < 0) return false;
    if (step < 0) first = Math.max(first, room / step);
    if (step > 0) last = Math.min(last, room / step);
  }
  return first <= last;
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
 * @param {PlacedLabel[]} labelled
 * @param {FrontierOptions} options
 * @param {FrontierRanges} ranges
 * @param {LossBand | null} band
 */
export function labelTrace(frontier, labelled, options, ranges, band) {
  const { axis, error } = options;
  const labels = labelled.map(({ line, point, side }) => {
    return {
      x: costOf(frontier, point, axis),
      top1: frontier.points.top1[point],
      text: labelText(frontier, line, options),
      place: /** @type {string} */ (side),
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
