// What the card of a layer says, in words; nothing of the page.

/** @import { CardData, DialTable } from "./types" */
import { formatCount, formatPercent, threeDigits } from "./numbers.js";

const MOST_NAMED = 8; // filters in a sentence

/**
 * How many filters have left, of those in the order of the card.
 * @param {CardData} card
 * @param {number} kept filters of the layer
 */
export function gone(card, kept) {
  return card.numbers.length - kept;
}

/**
 * The filters that leave next: those of the same moment, and the budget below which they have left.
 * @param {CardData} card
 * @param {number} kept
 * @returns {{ places: number[], below: number } | null} null: the rest stays
 */
export function nextToGo(card, kept) {
  const first = gone(card, kept);
  const below = card.gone_below[first];
  if (kept === 0 || !below) return null;
  const places = [];
  for (let place = first; place < card.numbers.length && card.gone_below[place] === below; place++) places.push(place);
  return { places, below };
}

/**
 * Such as "Next to go (orange): 17, 5 and 25, below 48 % of the MACs".
 * @param {CardData} card
 * @param {number} kept
 */
export function nextWords(card, kept) {
  if (kept === 0) return "All of it has left, with its block.";
  const next = nextToGo(card, kept);
  if (!next)
    return kept === 1 ? "The one filter left stays at every budget." : `The ${kept} filters left stay at every budget.`;
  const named = next.places.slice(0, MOST_NAMED).map((place) => card.numbers[place]);
  const rest = next.places.length - named.length;
  const which = rest ? `${named.join(", ")} and ${rest} more` : joined(named.map(String));
  return `Next to go (orange): ${which}, below ${percent(next.below)} of the MACs.`;
}

/**
 * Such as "Score = 0.53 × squared norm + 0.35."
 * @param {CardData} card
 */
export function scoreWords({ alpha, kappa, partners, scores, own }) {
  if (alpha === null || kappa === null) return "Score: the share of its group with smaller norms.";
  const offset = kappa ? ` ${kappa < 0 ? "−" : "+"} ${threeDigits(Math.abs(kappa))}` : "";
  const norm = alpha === 1 && !kappa ? "squared norm" : `${threeDigits(alpha)} × squared norm${offset}`;
  const whose = partners.length ? ` in ${layersWords(partners.length)}, by their own factors` : "";
  const isSum = scores.some(
    (score, place) => score !== null && Math.abs(score - (own[place] ?? 0)) > 1e-3 * Math.abs(score),
  );
  return `Score = ${norm}${isSum ? `, plus that of the filters that leave with it${whose}` : ""}.`;
}

/**
 * What one filter's score is made of.
 * @param {CardData} card
 * @param {number} place in the order of the card
 * @returns {string[]}
 */
export function filterLines(card, place) {
  const score = card.scores[place];
  const norm = `squared norm ${threeDigits(card.norms[place])}`;
  const lines = [`Filter ${card.numbers[place]}`, norm];
  if (score === null) return [...lines, "can never leave"];
  const isMapped = card.alpha !== null;
  const own = card.own[place];
  const others = score - own;
  if (isMapped && Math.abs(others) > 1e-3 * Math.abs(score)) {
    lines.push(`score ${signed(score)}: ${signed(own)} its own, ${signed(others)} of those that leave with it`);
  } else {
    lines.push(`score ${signed(score)}`);
  }
  return [...lines, whenWords(card.gone_below[place])];
}

/** @param {number | null} below per cent of the MACs */
function whenWords(below) {
  if (below === null) return "removed by a pin";
  return below === 0 ? "stays at every budget" : `leaves below ${percent(below)} of the MACs`;
}

/**
 * The layer's part of the network, such as "19 of 32 filters · 4.1 % of the MACs · 3.9 % of the parameters".
 * @param {DialTable} table
 * @param {number} row
 * @param {number} layer
 */
export function partWords(table, row, layer) {
  const part = (/** @type {number} */ own, /** @type {number} */ all) =>
    all ? `${((100 * own) / all).toFixed(1)} %` : "0 %";
  const words = [
    `${table.kept[row][layer]} of ${table.totals[layer]} filters`,
    `${part(table.layer_macs[row][layer], table.macs[row])} of the MACs (${formatCount(table.layer_macs[row][layer])})`,
    `${part(table.layer_params[row][layer], table.params[row])} of the parameters`,
  ];
  const times = table.layer_times[row];
  if (times?.length) {
    words.push(`${threeDigits(times[layer])} ms, ${part(times[layer], Number(table.predicted[row]))} of the time`);
  }
  return words.join(" · ");
}

/** @param {number} count */
function layersWords(count) {
  return count === 1 ? "1 layer" : `${count} layers`;
}

/** @param {string[]} words */
function joined(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** @param {number} value */
function signed(value) {
  return `${value < 0 ? "−" : ""}${threeDigits(Math.abs(value))}`;
}

/** @param {number} value */
function percent(value) {
  return value < 10 ? `${value.toFixed(1)} %` : formatPercent(value);
}
