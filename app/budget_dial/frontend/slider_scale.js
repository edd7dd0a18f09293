// Where each network stands on the slider: at the value of the quantity that one steers by.

/** @import { DialTable, NetworkFigures, QuantityName, SliderScale } from "./types" */
import { clamp } from "./dom.js";
import { QUANTITIES } from "./quantities.js";

const MOST_UNKNOWN = 0.12; // of the slider, at an end where the quantity is not known

/**
 * The scale of a quantity. Costs that can be counted begin at zero, so that a network of the same cost stands in the same
 * place whatever the ranking; those that are measured begin and end with what was measured.
 *
 * Where a larger network is no slower than a smaller one, both stand where the larger does: a limit leads to that one.
 * @param {DialTable} table
 * @param {QuantityName} quantity
 * @param {NetworkFigures} original
 * @returns {SliderScale}
 */
export function sliderScale(table, quantity, original) {
  const values = envelope(table, quantity);
  const { all } = QUANTITIES[quantity];
  const known = values.flatMap((value, row) => (value === null ? [] : [row]));
  const [first, last] = [known[0], known[known.length - 1]];
  const whole = all?.(table, original);
  if (whole !== undefined) return counted(values, whole);
  if (known.length < 2 || values[first] === values[last]) return sliderScale(table, "macs", original);

  const { macs } = table;
  const end = macs.length - 1;
  const part = (/** @type {number} */ from, /** @type {number} */ to) =>
    (macs[to] - macs[from]) / (macs[end] - macs[0]);
  const start = Math.min(MOST_UNKNOWN, part(0, first));
  const stop = 1 - Math.min(MOST_UNKNOWN, part(last, end));
  const [low, high] = [Number(values[first]), Number(values[last])];
  const anchors = known.map((row) => ({
    row,
    place: start + ((stop - start) * (Number(values[row]) - low)) / (high - low),
  }));
  if (first > 0) anchors.unshift({ row: 0, place: 0 });
  if (last < end) anchors.push({ row: end, place: 1 });
  return between(table, anchors);
}

/**
 * @param {(number | null)[]} values
 * @param {number} whole the original's
 * @returns {SliderScale}
 */
function counted(values, whole) {
  const places = values.map((value) => clamp(0, Number(value) / whole, 1));
  const last = places[places.length - 1];
  const ends = /** @type {[number, number][]} */ ([
    [0, places[0]],
    [last, 1],
  ]);
  return { places, unknown: ends.filter(([from, to]) => to - from > 1e-6) };
}

/**
 * Networks between two of which the quantity is known stand between them, as their MACs do.
 * @param {DialTable} table
 * @param {{ row: number, place: number }[]} anchors
 * @returns {SliderScale}
 */
function between({ macs }, anchors) {
  const places = macs.map(() => 0);
  /** @type {[number, number][]} */
  const unknown = [];
  anchors.forEach(({ row, place }, n) => {
    places[row] = place;
    const next = anchors[n + 1];
    if (!next || next.row === row + 1) return;
    unknown.push([place, next.place]);
    for (let r = row + 1; r < next.row; r++) {
      places[r] = place + ((next.place - place) * (macs[r] - macs[row])) / (macs[next.row] - macs[row]);
    }
  });
  return { places, unknown: unknown.filter(([from, to]) => to > from) };
}

/**
 * The value that a limit must have to lead to each network or a larger one; it rises with the networks.
 * @param {DialTable} table
 * @param {QuantityName} quantity
 * @returns {(number | null)[]}
 */
function envelope(table, quantity) {
  const { at, cost = at, larger } = QUANTITIES[quantity];
  const values = table.macs.map((_, row) => {
    const value = cost(table, row);
    return value === null ? null : larger ? value : -value;
  });
  const rises = quantity === "top1"; // the smallest network that reaches a value counts, not the largest within it
  let bound = rises ? -Infinity : Infinity;
  const rows = values.map((_, row) => row);
  for (const row of rises ? rows : rows.reverse()) {
    const value = values[row];
    if (value === null) continue;
    bound = rises ? Math.max(bound, value) : Math.min(bound, value);
    values[row] = bound;
  }
  return values;
}

/**
 * The network that stands nearest to a place; of several in one place the largest.
 * @param {SliderScale} scale
 * @param {number} place in [0, 1]
 */
export function rowAt({ places }, place) {
  let nearest = 0;
  places.forEach((other, row) => {
    if (Math.abs(other - place) <= Math.abs(places[nearest] - place)) nearest = row;
  });
  return nearest;
}
