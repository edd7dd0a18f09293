// The figures below the slider: one network's costs and accuracies beside those of another.

/** @import { DialTable, Figure, NetworkFigures, QuantityName, TogetherOff } from "./types" */
import { DASH, formatAccuracy, formatCount, percentChange, pointsChange, threeDigits } from "./numbers.js";
import { framesPerSecond, isOriginal, isPredicted, trainedTop1 } from "./quantities.js";

/** The figure that shows each quantity. Size is four times the parameters, so one figure shows both. */
const SHOWN_BY = /** @type {const} */ ({
  macs: "macs",
  params: "params",
  size: "params",
  latency: "latency",
  fps: "fps",
  top1: "macs", // accuracy as trained is large in any case
});

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
    predicted: table.predicted[row],
    before: table.before[row],
    after: trainedTop1(table, row),
  };
}

/**
 * Every figure of a network, and its difference to the network compared with: first the two that matter most, which are
 * the accuracy as trained and what one steers by.
 * @param {DialTable} table
 * @param {number} row
 * @param {NetworkFigures} other
 * @param {QuantityName} quantity
 * @returns {Figure[]}
 */
export function figuresOf(table, row, other, quantity) {
  const notMeasured = "not measured";
  const now = networkFigures(table, row);
  const time = timeOf(table, now, other, table.latency_measured[row]);
  const fps = framesPerSecond(table, time.now);
  const measuredFps = framesPerSecond(table, time.measured);
  const most = table.macs.length - 1; // the units of the largest network hold for all
  const isWhole = isOriginal(table, row);
  const params = formatCount(now.params, table.params[most]);
  const size = `${threeDigits((4 * now.params) / 1e6)} MB`;
  const bySize = quantity === "size";
  const costs = {
    macs: {
      caption: "MACs",
      value: formatCount(now.macs, table.macs[most]),
      difference: percentChange(now.macs, other.macs),
      lessIsBetter: true,
      remark: "",
      unknown: "",
    },
    params: {
      caption: bySize ? `Size, ${params} parameters` : "Parameters", // beside the large figure is no room
      value: bySize ? size : params,
      difference: percentChange(now.params, other.params),
      lessIsBetter: true,
      remark: bySize ? "" : size,
      unknown: "",
    },
    latency: {
      caption: `Latency${time.kind}`,
      value: time.now === null ? DASH : `${time.about}${threeDigits(time.now)} ms`,
      difference: percentChange(time.now, time.other),
      lessIsBetter: true,
      remark: time.measured === null ? "" : `${threeDigits(time.measured)} measured`,
      unknown: notMeasured,
    },
    fps: {
      caption: time.kind ? `FPS${time.kind}` : "Frames a second",
      value: fps === null ? DASH : `${time.about}${threeDigits(fps)}`,
      difference: percentChange(fps, framesPerSecond(table, time.other)),
      lessIsBetter: false,
      remark: [
        measuredFps === null ? "" : `${threeDigits(measuredFps)} measured`,
        fps !== null && table.batch > 1 ? `in batches of ${table.batch}` : "",
      ]
        .filter(Boolean)
        .join(", "),
      unknown: notMeasured,
    },
  };
  const cut = {
    caption: "Top-1 as cut",
    value: formatAccuracy(now.before, table.before_measured[row]),
    difference: pointsChange(now.before, other.before),
    lessIsBetter: false,
    remark: "",
    hint: "",
    unknown: notMeasured,
  };
  const off = offTheLine(table, row);
  const trained = {
    caption: table.after_together[row] ? "Top-1, trained together" : "Top-1, trained",
    value: formatAccuracy(now.after, isWhole ? table.before_measured[row] : table.after_measured[row]),
    difference: pointsChange(now.after, other.after),
    lessIsBetter: false,
    remark: plusMinus(off),
    hint: off ? offWords(off) : "",
    unknown: "not fine-tuned",
  };
  const large = SHOWN_BY[quantity];
  const small = /** @type {(keyof typeof costs)[]} */ (Object.keys(costs)).filter((name) => name !== large);
  return [trained, ...[large, ...small].map((name) => ({ ...costs[name], hint: "" })), cut];
}

/**
 * How far off an accuracy may be that is read between two networks of those trained together; null where it is measured,
 * or that is not known.
 * @param {DialTable} table
 * @param {number} row
 */
export function offTheLine(table, row) {
  return table.after_together[row] && !table.after_measured[row] ? table.together_off : null;
}

/**
 * The same in short, rounded up to a tenth of a point: "± 0.4"; "" where there is none.
 * @param {TogetherOff | null} off
 */
export function plusMinus(off) {
  return off ? `± ${upToATenth(off.most)}` : "";
}

/** @param {TogetherOff} off */
function offWords({ networks, most }) {
  const which = networks === 1 ? "The one network" : `The ${networks} networks`;
  return `${which} measured between the points lay at most ${upToATenth(most)} points off the line that this is read from.`;
}

/** @param {number} most in [0, 1] */
function upToATenth(most) {
  return (Math.max(1, Math.ceil(1000 * most - 1e-6)) / 10).toFixed(1);
}

/**
 * The latencies that the figures show: as predicted where they are, with what was measured beside it, else as measured.
 * @param {DialTable} table
 * @param {NetworkFigures} now
 * @param {NetworkFigures} other
 * @param {boolean} isMeasured at this very network
 */
function timeOf(table, now, other, isMeasured) {
  if (isPredicted(table)) {
    return { kind: ", predicted", about: "", now: now.predicted, other: other.predicted, measured: now.latency };
  }
  return { kind: "", about: isMeasured ? "" : "~", now: now.latency, other: other.latency, measured: null };
}
