// The labels of the frontier: the names of its lines at their ends, and of the band of networks without loss.

/** @import { FrontierData, FrontierLine, FrontierOptions, FrontierRanges, LossBand } from "./types" */
import { costOf, heightOf, rangesOf } from "./frontier_points.js";

const RING_PX = 18; // of the mark around the slider's network, which a label stands clear of
const ABOVE_GROUND = 0.15; // of the vertical axis

/**
 * The point beside which the label of a line stands: the cheapest of its own that is shown; null: none is. Lines of
 * networks as they were cut all end at the bottom, so their labels stand where the lines leave it.
 * @param {FrontierData} frontier
 * @param {FrontierLine} line
 * @param {FrontierOptions} options
 */
export function labelledPoint(frontier, line, options) {
  const { x, y } = rangesOf(frontier, options);
  const [bottom, top] = y;
  const isWithin = (/** @type {number | null} */ value, /** @type {[number, number]} */ [low, high]) =>
    value !== null && low <= value && value <= high;
  const { network, top1 } = frontier.points;
  const isOwn = (/** @type {number} */ row) => frontier.networks.ranking[network[row]] !== "original";
  const own = line.rows.filter((row) => line.rows.length === 1 || isOwn(row));
  const cost = (/** @type {number} */ row) => costOf(frontier, row, options.axis);
  const inside = own.filter((row) => isWithin(cost(row), x[options.axis]) && isWithin(top1[row], y));
  const least = line.kind === "as cut" ? bottom + ABOVE_GROUND * (top - bottom) : bottom;
  return inside.find((row) => top1[row] >= least) ?? inside[0] ?? null;
}

/**
 * The lines that have a label, with the point that it stands beside.
 * @param {FrontierData} frontier
 * @param {FrontierLine[]} lines
 * @param {FrontierOptions} options
 */
export function labelledLines(frontier, lines, options) {
  return lines.flatMap((line) => {
    const point = line.kind ? labelledPoint(frontier, line, options) : null;
    return point === null ? [] : [{ line, point }];
  });
}

/**
 * All labels, as one trace that lies above the marks which cross it.
 * @param {FrontierData} frontier
 * @param {{ line: FrontierLine, point: number }[]} labelled
 * @param {FrontierOptions} options
 * @param {FrontierRanges} ranges
 * @param {LossBand | null} band
 */
export function labelTrace(frontier, labelled, { axis, error, others }, ranges, band) {
  const labels = labelled.map(({ line, point }) => {
    const caption = frontier.rankings.find(([name]) => name === line.ranking)?.[1];
    return {
      x: costOf(frontier, point, axis),
      top1: frontier.points.top1[point],
      text: caption && others.length ? `${caption}, ${line.kind}` : line.kind,
      place: line.ranking ? "bottom right" : "top left",
      away: RING_PX,
    };
  });
  if (band) {
    const text = `within ${band.points} points`;
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
