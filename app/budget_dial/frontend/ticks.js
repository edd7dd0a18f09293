// Ticks on the slider: the networks that were trained and measured, which attract the thumb.

/** @import { SliderScale } from "./types" */
import { rowAt } from "./slider_scale.js";

const REACH_PX = 6;

/**
 * The network that a hand means which puts the thumb at a place: a tick that is near, else the one that stands there.
 * @param {SliderScale} scale
 * @param {number[]} ticks rows
 * @param {number} place in [0, 1]
 * @param {number} width of the slider's way, pixels
 */
export function rowMeant(scale, ticks, place, width) {
  const away = (/** @type {number} */ row) => width * Math.abs(scale.places[row] - place);
  const near = ticks.filter((row) => away(row) <= REACH_PX).sort((one, other) => away(one) - away(other));
  return near[0] ?? rowAt(scale, place);
}
