// Predictions along the slider: which of the networks that were asked stands for a budget, and what is said of it.

/** @import { AlongData, ImageAlong } from "./types" */

/**
 * The row of the network whose MACs are nearest to a budget, by their ratio.
 * @param {number[]} percents of the networks
 * @param {number} percent
 */
export function nearestRow(percents, percent) {
  const distances = percents.map((other) => Math.abs(Math.log(other / Math.max(percent, 1e-6))));
  return distances.indexOf(Math.min(...distances));
}

/**
 * Whether no network that was asked is about as small as a budget.
 * @param {number[]} percents of the networks, the largest first
 * @param {number} percent
 */
export function isBelowAll(percents, percent) {
  const [larger, least] = percents.slice(-2);
  return percent < least * Math.sqrt(least / larger);
}

/**
 * Which network is shown, how it was trained, and how good it is.
 * @param {AlongData} data
 * @param {number} percent the budget, of the original's MACs
 */
export function networkWords({ percent: percents, top1, trained }, percent) {
  const row = nearestRow(percents, percent);
  const right = `right on ${top1[row].toFixed(2)} % of all test images.`;
  const others = `of ${percents.length} networks the nearest to the slider`;
  if (!row) return percent > 99.9 ? `The original: ${right}` : `The original, ${others}: ${right}`;
  const which = `at ${percents[row].toFixed(1)} % of the MACs, ${trained ? "trained together" : "as cut"}`;
  if (isBelowAll(percents, percent)) return `No network as small was asked. The smallest, ${which}: ${right}`;
  return `The network ${which}, ${others}: ${right}`;
}

/**
 * A difference in points, with its sign.
 * @param {number} difference
 */
export function points(difference) {
  const digits = Math.abs(difference).toFixed(1);
  return digits === "0.0" ? "±0.0" : `${difference < 0 ? "−" : "+"}${digits}`;
}

/**
 * What a network predicts for an image, in words.
 * @param {AlongData} data
 * @param {ImageAlong} image
 * @param {number} row
 */
export function prediction({ names }, image, row) {
  return {
    text: `${names[image.classes[row]]} · ${image.percent[row]} %`,
    isRight: image.classes[row] === image.label,
    before: image.classes[row] === image.classes[0] ? "" : `original: ${names[image.classes[0]]}`,
  };
}

/**
 * Where a scale of accuracies begins so that all are on it: a multiple of ten, per cent.
 * @param {number[][]} top1 of classes and networks
 */
export function startOfScale(top1) {
  return Math.min(90, 10 * Math.floor(Math.min(...top1.flat()) / 10));
}
