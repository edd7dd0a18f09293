// The line below the figures: where fewer MACs gain no time on this device, and what rounding filters would gain.

/** @import { DialState, DialTable, RoundingData } from "./types" */
import { find, setText } from "./dom.js";
import { noGain, slowWords } from "./no_gain.js";
import { formatPercent } from "./numbers.js";
import { isPredicted } from "./quantities.js";
import { keepUnits } from "./text.js";

const LEAST_GAIN = 0.03; // of the time, below which rounding is not offered
const LEAST_PART = 0.8; // of the MACs; a network that is much smaller is faster in any case

export class Advice {
  /**
   * @param {HTMLElement} root
   * @param {DialState} state
   * @param {(multiple: number) => void} onMultiple filters are to be rounded to it from now on
   */
  constructor(root, state, onMultiple) {
    this.state = state;
    this.line = find(root, ".bd-advice", HTMLElement);
    this.words = find(this.line, "span", HTMLElement);
    this.button = find(this.line, "button", HTMLButtonElement);
    /** @type {RoundingData | null} */
    this.offered = null;
    this.button.onclick = () => {
      if (this.offered) onMultiple(this.offered.multiple);
    };
  }

  get roundings() {
    return this.state.data.charts?.roundings ?? [];
  }

  /** Take over new data. */
  show() {
    const { table, charts, original } = this.state.data;
    const parts = charts && isPredicted(table) ? noGain(table, original) : [];
    setText(this.words, keepUnits(slowWords(table, parts)));
    this.line.hidden = !this.words.textContent && !this.roundings.length;
    this.update();
  }

  /** Say what rounding gains at the slider's budget; nothing where that is little. */
  update() {
    const { data, row, opened } = this.state;
    const { table } = data;
    this.offered = opened ? null : fastestRounding(this.roundings, table, row);
    const words = this.offered ? roundingWords(this.offered, table, row) : "";
    this.button.hidden = !words;
    setText(this.button, words);
    if (this.offered) this.button.title = roundingTitle(this.offered, table);
  }
}

/**
 * The rounding that is fastest at a budget, of those that come near it; null where none does.
 * @param {RoundingData[]} roundings
 * @param {DialTable} table
 * @param {number} row
 */
export function fastestRounding(roundings, table, row) {
  const time = (/** @type {RoundingData} */ { latency }) => latency[row] ?? Infinity;
  const near = roundings.filter(({ macs }) => (macs[row] ?? 0) >= LEAST_PART * table.macs[row]);
  const [first] = near.sort((a, b) => time(a) - time(b));
  return first ?? null;
}

/**
 * What rounding means, and to which smallest network it leads.
 * @param {RoundingData} rounding
 * @param {DialTable} table
 */
export function roundingTitle({ multiple, latency }, { percent }) {
  const smallest = formatPercent(percent[latency.findIndex((time) => time !== null)]);
  return (
    `Every layer then keeps a multiple of ${multiple} filters, or all of them; the smallest network has about ${smallest} ` +
    "of the MACs. The time is predicted by this device's profile. Undo takes it back."
  );
}

/**
 * What rounding gains at a budget, such as "Round to 16: −25 % time, at 45 % of the MACs"; "" where it is little.
 * @param {RoundingData} rounding
 * @param {DialTable} table
 * @param {number} row
 */
export function roundingWords({ multiple, latency, macs }, table, row) {
  const [rounded, predicted] = [latency[row], table.predicted[row]];
  if (rounded === null || predicted === null || rounded > (1 - LEAST_GAIN) * predicted) return "";
  const percent = Math.round(100 * (1 - rounded / predicted));
  const share = (Number(macs[row]) / table.macs[row]) * table.macs_percent[row];
  return keepUnits(`Round to ${multiple}: −${percent} % time, at ${formatPercent(share)} of the MACs`);
}
