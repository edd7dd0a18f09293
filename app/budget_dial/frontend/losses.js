// What networks lose beside the original, in words, and which count as without loss.

/** @import { Answer, DialTable, LossBand, NetworkFigures } from "./types" */
import { trainedRows } from "./no_gain.js";
import { formatPercent, pointsBetween } from "./numbers.js";
import { trainedTop1 } from "./quantities.js";

const USUAL_LOSS = 0.5; // points
export const NOT_TRAINED = "No network of this ranking is fine-tuned yet: do so on the page Fine-tune & export.";
export const NOTHING_TO_LOSE = "The original was not measured yet: Measure the frontier, below, does so.";

/**
 * What a network loses beside the original.
 * @param {DialTable} table
 * @param {number} row
 * @param {NetworkFigures} original
 */
export function loss(table, row, original) {
  const trained = trainedTop1(table, row);
  if (trained === null) {
    const cut = table.before[row];
    const read = table.before_measured[row] ? "" : "~";
    return cut === null ? "accuracy not measured" : `not trained, ${read}${(100 * cut).toFixed(1)} % as cut`;
  }
  const about = table.after_measured[row] ? "" : "~";
  const now = `${about}${(100 * trained).toFixed(1)} %`;
  return original.after === null ? now : `${now}, ${points(pointsBetween(trained, original.after))}`;
}

/**
 * A difference of accuracies in words.
 * @param {number} difference in points
 */
function points(difference) {
  const size = Math.abs(difference).toFixed(1);
  return size === "0.0" ? "nothing lost" : `${size} points ${difference < 0 ? "lost" : "gained"}`;
}

/**
 * The smallest network within a loss, over the networks that were trained and measured: nothing is read between them.
 * @param {number} lost points
 * @param {DialTable} table
 * @param {NetworkFigures} original
 * @returns {Answer}
 */
export function withoutLoss(lost, table, original) {
  const trained = trainedRows(table);
  if (!trained.length) return { text: NOT_TRAINED, row: null, points: lost };
  if (original.after === null) return { text: NOTHING_TO_LOSE, row: null, points: lost };
  const whole = original.after;
  const within = trainedWithin(lost, table, whole);
  const say = (/** @type {number} */ row) =>
    `${formatPercent(table.macs_percent[row])} has ${loss(table, row, original)}`;
  if (!within.length) {
    const best = trained.reduce((one, other) => (Number(table.after[other]) > Number(table.after[one]) ? other : one));
    return {
      text: `No trained network is within ${inPoints(lost)} points of the original; the nearest, ${say(best)}.`,
      row: null,
      points: lost,
    };
  }
  const [row] = within;
  const others = trained.filter((other) => other > row && !within.includes(other));
  const below = trained.findLast((other) => other < row);
  const measured = within.map((other) => formatPercent(table.macs_percent[other]).replace(" %", ""));
  const sure = `measured at ${list(measured)} %`;
  const doubt = others.length
    ? `; but not at ${list(others.map((other) => formatPercent(table.macs_percent[other])))}`
    : "";
  const next = below === undefined ? "no smaller one is trained" : say(below);
  const text = `Within ${inPoints(lost)} points of the original: ${say(row)} (${sure}${doubt}); ${next}.`;
  return { text, row, points: lost };
}

/**
 * The networks that count as without loss: by the question about it, else within half a point. Null where none does.
 * @param {DialTable} table
 * @param {NetworkFigures} original
 * @param {Answer | null} answer
 * @returns {LossBand | null}
 */
export function lossBand(table, original, answer) {
  const points = answer?.points ?? USUAL_LOSS;
  if (original.after === null) return null;
  const within = trainedWithin(points, table, original.after);
  if (!within.length) return null;
  return { points, row: within[0], last: within[within.length - 1], top1: 100 * original.after };
}

/**
 * Rows of the trained networks within a loss, of the accuracies as they are shown.
 * @param {number} lost points
 * @param {DialTable} table
 * @param {number} whole top-1 of the original, in [0, 1]
 */
function trainedWithin(lost, table, whole) {
  return trainedRows(table).filter((row) => pointsBetween(Number(table.after[row]), whole) >= -lost - 1e-9);
}

/**
 * A loss as it was asked for, with one decimal at least.
 * @param {number} lost points
 */
export function inPoints(lost) {
  return Number.isInteger(10 * lost) ? lost.toFixed(1) : String(lost);
}

/** @param {string[]} words */
function list(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}
