// The headline: what the network of the slider costs and reaches, beside the original or the held network, in one line.
// A report says the same (legr/report/headline.py); tests/report/headlines.json has cases that tests of both read.

/** @import { DialTable, HeadlineNetwork, NetworkFigures } from "./types" */
import { fewDigits, formatPercent } from "./numbers.js";
import { trainedRows } from "./no_gain.js";
import { isOriginal, trainedTop1 } from "./quantities.js";

/**
 * What the headline says of a network of the table.
 * @param {DialTable} table
 * @param {number} row
 * @returns {HeadlineNetwork}
 */
export function headlineNetwork(table, row) {
  const isWhole = isOriginal(table, row);
  const trained = trainedTop1(table, row);
  return {
    percent: table.macs_percent[row],
    trained,
    trainedIsMeasured: Boolean(isWhole ? table.before_measured[row] : table.after_measured[row]),
    cut: table.before[row],
    cutIsMeasured: Boolean(table.before_measured[row]),
    latency: table.latency[row],
    latencyIsMeasured: Boolean(table.latency_measured[row]),
    predicted: table.predicted[row],
    smaller: trained === null ? smallerTrained(table, row) : null,
  };
}

/**
 * The most accurate of the smaller networks that were trained, if it is better than this one as cut; else null.
 * @param {DialTable} table
 * @param {number} row
 */
function smallerTrained(table, row) {
  const least = table.before[row] ?? 0;
  const top1 = (/** @type {number} */ other) => Number(table.after[other]);
  const better = trainedRows(table).filter((other) => other < row && top1(other) >= least);
  if (!better.length) return null;
  const best = better.reduce((one, other) => (top1(other) > top1(one) ? other : one));
  return { percent: table.macs_percent[best], top1: top1(best) };
}

/**
 * The same of the original.
 * @param {NetworkFigures} original
 * @returns {HeadlineNetwork}
 */
export function originalNetwork({ after, before, latency, predicted }) {
  return {
    percent: 100,
    trained: after,
    trainedIsMeasured: true,
    cut: before,
    cutIsMeasured: true,
    latency,
    latencyIsMeasured: true,
    predicted,
    smaller: null,
  };
}

/**
 * The sentence. What lies between two measured networks has a "~".
 * @param {HeadlineNetwork} now
 * @param {HeadlineNetwork} other the original, or the network that is held
 */
export function headlineOf(now, other) {
  const isWhole = now.percent === 100;
  const isHeld = other.percent !== 100;
  const said = isHeld
    ? beside(formatPercent(now.percent), formatPercent(other.percent), " %")
    : formatPercent(now.percent);
  const isAgain = isWhole && now.trained !== null && now.cut !== null && now.trained !== now.cut;
  const original = isAgain ? ", trained once more" : isHeld ? "" : ", 100 % of the work";
  const work = isWhole ? `The original${original}` : `${said} of the work`;
  const isUntrained = now.trained === null && now.cut !== null;
  const isKnown = [now.trained, now.cut, now.latency, now.predicted].some((value) => value !== null);
  if (!isKnown) return `${work}: accuracy and latency not measured`;
  return `${work}${isUntrained ? ", not trained" : ""}: ${accuracyBeside(now, other)}, ${timeBeside(now, other)}`;
}

/**
 * @param {HeadlineNetwork} now
 * @param {HeadlineNetwork} other
 */
function accuracyBeside(now, other) {
  const isTrained = now.trained !== null;
  const value = now.trained ?? now.cut;
  if (value === null) return "accuracy not measured";
  const asCut = isTrained ? "" : " as cut";
  const than = isTrained || other.percent === 100 ? other.trained : other.cut;
  const thanIsMeasured = isTrained || other.percent === 100 ? other.trainedIsMeasured : other.cutIsMeasured;
  const here = `${(100 * value).toFixed(1)} %`;
  const said = `${about(isTrained ? now.trainedIsMeasured : now.cutIsMeasured)}${here}${asCut}`;
  if (!isTrained && now.smaller && other.percent === 100) {
    return `${said} (trained ${formatPercent(now.smaller.percent)}: ${(100 * now.smaller.top1).toFixed(1)} %)`;
  }
  if (than === null || isSame(now, other)) return said;
  const there = `${(100 * than).toFixed(1)} %`;
  return here === there ? `still ${said}` : `${said} instead of ${about(thanIsMeasured)}${there}`;
}

/**
 * @param {HeadlineNetwork} now
 * @param {HeadlineNetwork} other
 */
function timeBeside(now, other) {
  const isMeasured = now.latency !== null && (other.latency !== null || other.predicted === null);
  if (now.predicted !== null && !isMeasured) {
    const [here, there] = [now, other].map(({ predicted }) => (predicted === null ? "" : fewDigits(predicted)));
    return `${!there || isSame(now, other) ? here : here === there ? `still ${here}` : `${here} instead of ${there}`} ms predicted`;
  }
  if (now.latency === null) return "latency not measured";
  const here = fewDigits(now.latency);
  const said = `${about(now.latencyIsMeasured)}${here}`;
  if (other.latency === null || isSame(now, other)) return `${said} ms`;
  const there = fewDigits(other.latency);
  return here === there ? `still ${said} ms` : `${said} instead of ${about(other.latencyIsMeasured)}${there} ms`;
}

/** @param {boolean} isMeasured */
function about(isMeasured) {
  return isMeasured ? "" : "~";
}

/**
 * @param {HeadlineNetwork} now
 * @param {HeadlineNetwork} other
 */
function isSame(now, other) {
  return ["percent", "trained", "latency", "predicted"].every(
    (name) => now[/** @type {"percent"} */ (name)] === other[/** @type {"percent"} */ (name)],
  );
}

/**
 * Two values of one unit, which is said once.
 * @param {string} here
 * @param {string} there
 * @param {string} unit
 */
function beside(here, there, unit) {
  return here === there ? here : `${here.replace(unit, "")} instead of ${there}`;
}
