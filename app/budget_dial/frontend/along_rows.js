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
 * Which network is shown, and how good it is.
 * @param {AlongData} data
 * @param {number} row
 */
export function networkWords({ percent, top1 }, row) {
  const which = row
    ? `The network at ${percent[row].toFixed(1)} % of the MACs, of ${percent.length} the nearest to the slider`
    : "The original";
  return `${which}: right on ${top1[row].toFixed(2)} % of all test images.`;
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
    isOther: image.classes[row] !== image.classes[0],
  };
}

/**
 * Where a scale of accuracies begins so that all are on it: a multiple of ten, per cent.
 * @param {number[][]} top1 of classes and networks
 */
export function startOfScale(top1) {
  return Math.min(90, 10 * Math.floor(Math.min(...top1.flat()) / 10));
}
