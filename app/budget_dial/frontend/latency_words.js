// The latency of a network in words: measured, predicted, or read between two measured networks.

/** @import { DialTable } from "./types" */
import { threeDigits } from "./numbers.js";

/**
 * What is best known of a network's latency, in words: "4.20 ms", "4.00 ms predicted", or "~4.10 ms" where it lies
 * between two measured networks; "" where nothing is known.
 * @param {DialTable} table
 * @param {number} row
 */
export function latencyWords({ latency, latency_measured, predicted }, row) {
  if (latency[row] !== null) return `${latency_measured[row] ? "" : "~"}${threeDigits(latency[row])} ms`;
  return predicted[row] === null ? "" : `${threeDigits(predicted[row])} ms predicted`;
}
