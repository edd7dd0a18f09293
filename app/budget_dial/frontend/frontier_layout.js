// The frame of the frontier: which part of it is shown, its axes, and the parts of it that are shaded.

/** @import { DialState, DialTable, FrontierData, FrontierOptions, FrontierRanges, LossBand, SlowPart } from "./types" */
import { tableCost } from "./frontier_marks.js";
import { heightOf, rangesOf, titleWithin } from "./frontier_points.js";
import { noGain } from "./no_gain.js";

const SHADE = "rgba(125, 135, 148, 0.16)";
const WITHOUT_LOSS = "rgba(60, 160, 90, 0.16)";
const ROOM_PX = 26; // between the outermost labelled points and the ends of the axis, for their labels
const BELOW_PX = 54; // of a chart's height, for the ticks and the title of the axis below
const BESIDE_PX = 72; // of its width, for the ticks and the title of the axis at the left
const LEFT = 0.02; // of the axis, left of the slider's smallest network

/**
 * The part of the frontier that is shown, with room for its labels whatever the height, and for the slider's networks.
 * @param {FrontierData} frontier
 * @param {FrontierOptions} options
 * @param {DialTable} table
 * @param {number[]} labelled accuracies of the points that have a label, per cent
 * @param {number} height of the chart, pixels
 * @returns {FrontierRanges}
 */
export function shownRanges(frontier, options, table, labelled, height) {
  const given = rangesOf(frontier, options);
  const [left, right] = given.x[options.axis];
  const smallest = tableCost(table, 0, options.axis) ?? Infinity;
  const x = { ...given.x, [options.axis]: ends(Math.min(left, smallest - LEFT * (right - left)), right) };
  const { height: length } = plotSize(0, height);
  if (options.error) {
    const up = labelled.map((top1) => -Math.log10(heightOf(top1, true)));
    const [bottom, top] = withRoom(ends(-given.error[0], -given.error[1]), up, length);
    return { ...given, x, error: ends(-bottom, -top) };
  }
  return { ...given, x, y: withRoom(given.y, labelled, length) };
}

/**
 * The size of the plot within a chart, nearly.
 * @param {number} width of the chart, pixels
 * @param {number} height
 */
export function plotSize(width, height) {
  return { width: width - BESIDE_PX, height: height - BELOW_PX };
}

/**
 * @param {number} low
 * @param {number} high
 * @returns {[number, number]}
 */
function ends(low, high) {
  return [low, high];
}

/**
 * A range in which values stand some pixels from its ends.
 * @param {[number, number]} range
 * @param {number[]} values
 * @param {number} length of the axis, pixels
 * @returns {[number, number]}
 */
function withRoom([bottom, top], values, length) {
  const within = values.filter((value) => bottom <= value && value <= top);
  for (let step = 0; step < 20; step++) {
    const room = (ROOM_PX * (top - bottom)) / length; // which grows with the range
    bottom = Math.min(bottom, ...within.map((value) => value - room));
    top = Math.max(top, ...within.map((value) => value + room));
  }
  return [bottom, top];
}

/**
 * The parts of an axis on which no time is gained. On the axis of time that is what takes longer than the original.
 * @param {DialState} state
 * @param {FrontierRanges} ranges
 * @param {string} axis
 * @returns {{ part: SlowPart, ends: [number, number] }[]}
 */
export function slowParts({ data: { table, original } }, ranges, axis) {
  const top = table.macs.length - 1;
  const whole = original.latency ?? original.predicted;
  return noGain(table, original).flatMap((part) => {
    if (axis === "latency") {
      return part.last === top && whole !== null ? [{ part, ends: ends(whole, ranges.x.latency[1]) }] : [];
    }
    const start = /** @type {number} */ (tableCost(table, part.first, axis));
    return [{ part, ends: ends(start, /** @type {number} */ (tableCost(table, part.last, axis))) }];
  });
}

/**
 * @param {FrontierData} frontier
 * @param {FrontierOptions} options
 * @param {FrontierRanges} ranges
 * @param {{ ends: [number, number] }[]} slow parts that gain no time
 * @param {LossBand | null} band
 * @param {number} width of the chart, pixels
 */
export function frontierLayout(frontier, options, { x, y, error, ticks }, slow, band, width) {
  const fixed = { fixedrange: true, automargin: true };
  const shade = { type: "rect", layer: "below", line: { width: 0 } };
  const noTime = slow.map(({ ends: [x0, x1] }) => ({
    ...shade,
    yref: "paper",
    x0,
    x1,
    y0: 0,
    y1: 1,
    fillcolor: SHADE,
  }));
  const noLoss = band && {
    ...shade,
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: heightOf(band.top1 - band.points, options.error),
    y1: heightOf(band.top1, options.error),
    fillcolor: WITHOUT_LOSS,
  };
  const asError = {
    type: "log",
    range: error,
    tickvals: ticks,
    ticktext: ticks.map((tick) => String(Number((100 - tick).toFixed(6)))),
    title: { text: "top-1 accuracy, % (error: log)" },
  };
  return {
    hovermode: false,
    dragmode: false,
    showlegend: false,
    margin: { l: 8, r: 8, t: 8, b: 8 },
    shapes: [...noTime, noLoss].filter(Boolean),
    xaxis: { ...fixed, range: x[options.axis], title: { text: titleWithin(frontier.titles[options.axis], width) } },
    yaxis: {
      ...fixed,
      ...(options.error ? asError : { type: "linear", range: y, title: { text: "top-1 accuracy, %" } }),
    },
  };
}
