// The figures below the slider: one network's costs and accuracies beside those of another.

/** @import { DialTable, Figure, NetworkFigures } from "./types" */
import { DASH, formatAccuracy, formatCount, percentChange, pointsChange, threeDigits } from "./numbers.js";
import { framesPerSecond } from "./quantities.js";

/**
 * Costs and accuracies of one network of the table.
 * @param {DialTable} table
 * @param {number} row
 * @returns {NetworkFigures}
 */
export function networkFigures(table, row) {
  return {
    macs: table.macs[row],
    params: table.params[row],
    latency: table.latency[row],
    before: table.before[row],
    after: table.after[row],
  };
}

/**
 * Every figure of a network, and its difference to the network compared with.
 * @param {DialTable} table
 * @param {number} row
 * @param {NetworkFigures} other
 * @param {boolean} canMeasure whether the page has a button for it
 * @returns {Figure[]}
 */
export function figuresOf(table, row, other, canMeasure) {
  const notMeasured = canMeasure ? "not measured: measure this network" : "not measured";
  const now = networkFigures(table, row);
  const fps = framesPerSecond(table, row);
  const otherFps = other.latency === null ? null : (1000 * table.batch) / other.latency;
  const about = table.latency_measured[row] ? "" : "~";
  return [
    {
      caption: "MACs",
      value: formatCount(now.macs),
      difference: percentChange(now.macs, other.macs),
      lessIsBetter: true,
      remark: "",
      unknown: "",
    },
    {
      caption: "Parameters",
      value: formatCount(now.params),
      difference: percentChange(now.params, other.params),
      lessIsBetter: true,
      remark: `${threeDigits((4 * now.params) / 1e6)} MB`,
      unknown: "",
    },
    {
      caption: "Latency",
      value: now.latency === null ? DASH : `${about}${threeDigits(now.latency)} ms`,
      difference: percentChange(now.latency, other.latency),
      lessIsBetter: true,
      remark: "",
      unknown: notMeasured,
    },
    {
      caption: "Frames a second",
      value: fps === null ? DASH : `${about}${threeDigits(fps)}`,
      difference: percentChange(fps, otherFps),
      lessIsBetter: false,
      remark: fps !== null && table.batch > 1 ? `in batches of ${table.batch}` : "",
      unknown: notMeasured,
    },
    {
      caption: "Top-1, not fine-tuned",
      value: formatAccuracy(now.before, table.before_measured[row]),
      difference: pointsChange(now.before, other.before),
      lessIsBetter: false,
      remark: "",
      unknown: notMeasured,
    },
    {
      caption: "Top-1, fine-tuned",
      value: formatAccuracy(now.after, table.after_measured[row]),
      difference: pointsChange(now.after, other.after),
      lessIsBetter: false,
      remark: "",
      unknown: "not fine-tuned",
    },
  ];
}
