// The questions that people come with, as the address line says them, and their answers.

/** @import { Answer, DialTable, NetworkFigures, Preset, Question, QuantityName } from "./types" */
import { fewDigits, formatPercent } from "./numbers.js";
import { QUANTITIES, endsAtOriginal, extremes, hasLatency, isWithin, rowWithin, trainedTop1 } from "./quantities.js";
import { NOTHING_TO_LOSE, NOT_TRAINED, loss, withoutLoss } from "./losses.js";
import { latencyWords } from "./latency_words.js";
import { trainedRows } from "./no_gain.js";

export const LOSSES = [0.2, 0.5, 1]; // points of accuracy
const ALIKE = 0.001; // a difference of accuracies that an estimate does not tell
export const TIMED = /** @type {QuantityName[]} */ (["latency", "fps"]);
export const PRESETS = /** @type {Preset[]} */ (["fastest", "balanced", "nearest"]);

/** What each preset means, of the trained and measured networks of this ranking. */
export const PRESET_TITLES = {
  fastest: "The trained network with the lowest latency; with the fewest MACs where none was measured or predicted",
  balanced:
    "The trained network that keeps most accuracy for its MACs: farthest above the line from the smallest trained network to the original",
  nearest: "The trained network whose accuracy is nearest to the original's",
};

/**
 * Read a question from the address line; null where it is none.
 * @param {string} text such as "fps:30", "loss:0.5" or "balanced"
 * @returns {Question | null}
 */
export function parseQuestion(text) {
  const [kind, number] = text.split(":");
  if (PRESETS.includes(/** @type {Preset} */ (kind)) && number === undefined) {
    return { kind: /** @type {Preset} */ (kind) };
  }
  const value = number ? Number(number) : NaN;
  if (!Number.isFinite(value)) return null;
  if (kind === "loss") return value >= 0 && value <= 100 ? { kind, points: value } : null;
  return Object.hasOwn(QUANTITIES, kind)
    ? { kind: "need", quantity: /** @type {QuantityName} */ (kind), limit: value }
    : null;
}

/**
 * A question as the address line says it.
 * @param {Question} question
 */
export function questionText(question) {
  if (question.kind === "need") return `${question.quantity}:${question.limit}`;
  return question.kind === "loss" ? `loss:${question.points}` : question.kind;
}

/**
 * Answer a question in one sentence, with the network that it leads to.
 * @param {Question} question
 * @param {DialTable} table
 * @param {NetworkFigures} original
 * @param {string} remedy what would help where a budget is out of reach
 * @param {string} [device] that latencies are of
 * @returns {Answer}
 */
export function answerTo(question, table, original, remedy, device = "") {
  if (question.kind === "need") return need(question.quantity, question.limit, table, original, remedy, device);
  if (question.kind === "loss") return withoutLoss(question.points, table, original);
  return preset(question.kind, table, original);
}

/**
 * The device that latencies are of, as an answer says it.
 * @param {{ device: string, elsewhere: boolean }} charts
 */
export function whereTimed({ device, elsewhere }) {
  return device && elsewhere ? `${device}; not this machine` : device;
}

/**
 * @param {QuantityName} quantity
 * @param {number} limit
 * @param {DialTable} table
 * @param {NetworkFigures} original
 * @param {string} remedy
 * @param {string} device
 * @returns {Answer}
 */
function need(quantity, limit, table, original, remedy, device) {
  const { unit, bound, at } = QUANTITIES[quantity];
  const units = unit(table);
  const isTimed = TIMED.includes(quantity);
  const where = isTimed && device ? ` (${device})` : "";
  const asked = `${bound} ${limit} ${units}${where}`;
  if (!(limit > 0)) return { text: `Ask for more than 0 ${units}, got ${limit}.`, row: null };
  if (!extremes(table, quantity)) {
    const what =
      quantity === "top1"
        ? "No network of this ranking is fine-tuned yet: do so on the next pages"
        : "Latency is not measured yet: Measure the frontier, below";
    return { text: `${what}.`, row: null };
  }
  const last = table.macs.length - 1;
  const whole = endsAtOriginal(table, original) ? at(table, last) : null;
  const isMet = whole !== null && quantity !== "top1" && isWithin(quantity, whole, limit);
  if (isMet) {
    const verb = bound === "at least" ? "reaches" : quantity === "latency" ? "takes" : "has";
    const more = Math.abs(whole - limit);
    const beyond =
      more === 0
        ? "just what you asked"
        : `${fewDigits(more)} ${bound === "at least" ? "more" : "less"} than you asked`;
    return { text: `The original already ${verb} ${fewDigits(whole)} ${units}${where}, ${beyond}.`, row: last };
  }
  const row = rowWithin(table, quantity, limit);
  if (row === null) return { text: outOfReach(table, quantity, limit, remedy), row };
  if (quantity === "top1" && row === last && whole !== null) {
    return { text: `Only the original is known to reach ${asked}: it has ${fewDigits(whole)} %.`, row };
  }
  if (quantity === "macs") return { text: "", row }; // the headline says it
  const share = (/** @type {number} */ of) => formatPercent(table.macs_percent[of]);
  const better = isTimed ? betterTrained(table, quantity, limit, row) : row;
  if (better === row) return { text: `For ${asked}, ${share(row)} of the work: ${loss(table, row, original)}.`, row };
  const just = share(row) === share(better) ? "" : `; ${share(row)} would just do: ${loss(table, row, original)}`;
  const found = `${fewDigits(Number(at(table, better)))} ${units}, ${loss(table, better, original)}`;
  return { text: `For ${asked}, ${share(better)} of the work: ${found}${just}.`, row: better };
}

/**
 * The most accurate network within a limit that was trained and measured, where it is no worse than the largest one;
 * else that one. A network that nobody trained is no answer where a smaller one that somebody did is better.
 * @param {DialTable} table
 * @param {QuantityName} quantity of time
 * @param {number} limit
 * @param {number} largest row of the largest network within the limit
 */
function betterTrained(table, quantity, limit, largest) {
  const { at } = QUANTITIES[quantity];
  const known = trainedTop1(table, largest) ?? table.before[largest] ?? 0;
  const fits = trainedRows(table).filter((row) => {
    const value = at(table, row);
    return value !== null && hasLatency(table, row) && isWithin(quantity, value, limit);
  });
  return fits.reduce((best, row) => {
    const isBetter = best === largest ? top1(row) >= known - ALIKE : top1(row) > top1(best);
    return isBetter ? row : best;
  }, largest);

  /** @param {number} row */
  function top1(row) {
    return Number(table.after[row]);
  }
}

/**
 * What to tell a user whose limit no network keeps within.
 * @param {DialTable} table
 * @param {QuantityName} quantity
 * @param {number} limit
 * @param {string} remedy
 */
export function outOfReach(table, quantity, limit, remedy) {
  const { at, unit, show, bound } = QUANTITIES[quantity];
  const units = unit(table);
  if (quantity === "top1") {
    const best = Math.max(
      ...trainedRows(table).map((row) => Number(at(table, row))),
      Number(extremes(table, "top1")?.[1]),
    );
    return `Out of reach: ${limit} ${units}. The best known here has ${show(best)} %; longer fine-tuning may help.`;
  }
  const values = table.macs.map((_, row) => at(table, row)).filter((value) => value !== null);
  const best = bound === "at most" ? Math.min(...values) : Math.max(...values);
  const measured = values.length < table.macs.length ? "measured " : "";
  const kind = TIMED.includes(quantity) ? "fastest" : "smallest";
  const needs = `${bound === "at most" ? "needs" : "reaches"} ${show(best)}`;
  return `Out of reach: ${bound} ${limit} ${units}. This ranking's ${kind} ${measured}network ${needs}. ${remedy}`;
}

/**
 * @param {Preset} kind
 * @param {DialTable} table
 * @param {NetworkFigures} original
 * @returns {Answer}
 */
function preset(kind, table, original) {
  const all = trainedRows(table);
  const timed = all.filter((row) => hasLatency(table, row));
  const trained = kind === "fastest" && timed.length ? timed : all;
  if (!trained.length) return { text: NOT_TRAINED, row: null };
  if (original.after === null && kind !== "fastest") return { text: NOTHING_TO_LOSE, row: null };
  const worth = { fastest: speed, balanced: balance, nearest: closeness }[kind](table, trained, original);
  const row = trained.reduce((best, other) => (worth(other) > worth(best) ? other : best));
  const { macs_percent } = table;
  const time = latencyWords(table, row);
  const name = { fastest: "Fastest", balanced: "Best balance", nearest: "Nearest to the original" }[kind];
  const some = trained.length < all.length ? "trained and timed" : "trained";
  const among = trained.length === 1 ? `of the one ${some} network` : `of ${trained.length} ${some} networks`;
  const text = `${name} ${among}: ${formatPercent(macs_percent[row])} of the work${time && `, ${time}`}, ${loss(table, row, original)}.`;
  return { text, row };
}

/**
 * @param {DialTable} table
 * @param {number[]} trained
 * @returns {(row: number) => number}
 */
function speed(table, trained) {
  const areTimed = trained.every((row) => hasLatency(table, row));
  return (row) => -Number(areTimed ? QUANTITIES.latency.at(table, row) : table.macs[row]);
}

/**
 * @param {DialTable} table
 * @param {number[]} trained
 * @param {NetworkFigures} original
 * @returns {(row: number) => number}
 */
function balance(table, [smallest], original) {
  const least = Number(table.after[smallest]);
  const rise = (Number(original.after) - least) / Math.max(1, original.macs - table.macs[smallest]);
  return (row) => Number(table.after[row]) - least - rise * (table.macs[row] - table.macs[smallest]);
}

/**
 * @param {DialTable} table
 * @param {number[]} _
 * @param {NetworkFigures} original
 * @returns {(row: number) => number}
 */
function closeness(table, _, original) {
  return (row) => -Math.abs(Number(table.after[row]) - Number(original.after));
}
