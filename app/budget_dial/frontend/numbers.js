// Numbers as people read them.

export const DASH = "—"; // in place of a value that is not known

/**
 * A count with its unit: 125.5 M, 855.8 k.
 * @param {number} number
 * @param {number} [like] a count whose unit is taken
 */
export function formatCount(number, like = number) {
  /** @type {[number, string][]} */
  const units = [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ];
  for (const [size, unit] of units) {
    if (like >= size) return `${twoDecimals(number / size)} ${unit}`;
  }
  return String(Math.round(number));
}

/**
 * A part of a count in the count's unit, which is said once: 0.12 of 0.94 M.
 * @param {number} part
 * @param {number} whole
 */
export function partOf(part, whole) {
  return `${formatCount(part, whole).split(" ")[0]} of ${formatCount(whole)}`;
}

/**
 * A number below 100 with two decimals, another with one.
 * @param {number} value
 */
export function twoDecimals(value) {
  return value.toFixed(value < 100 ? 2 : 1);
}

/**
 * Three significant digits, zeros kept: 2.40, 14.0, 140.
 * @param {number} value
 */
export function threeDigits(value) {
  return value.toFixed(value > 0 && value < 100 ? Math.max(0, 2 - Math.floor(Math.log10(value))) : 0);
}

/**
 * As few digits as a sentence needs, two at least: 0.12, 5.0, 17.0, 143.
 * @param {number} value
 */
export function fewDigits(value) {
  return value.toFixed(value >= 100 ? 0 : value >= 1 || value <= 0 ? 1 : 1 - Math.floor(Math.log10(value)));
}

/**
 * A share of the work in whole per cent; with a decimal where it is small, or where whole ones would say all.
 * @param {number} percent
 */
export function formatPercent(percent) {
  const whole = percent >= 10 && (percent < 99.5 || percent >= 100);
  return `${percent.toFixed(whole ? 0 : 1)} %`;
}

/**
 * Relative difference, such as "−53.0 %"; empty where it rounds to nothing or a value is not known.
 * @param {number | null} now
 * @param {number | null} before
 */
export function percentChange(now, before) {
  const percent = now !== null && before ? 100 * (now / before - 1) : 0;
  return Math.abs(percent) < 0.05 ? "" : `${withSign(percent)} %`;
}

/**
 * Difference of two accuracies in percentage points; empty where it rounds to nothing or a value is not known.
 * @param {number | null} now in [0, 1]
 * @param {number | null} before in [0, 1]
 */
export function pointsChange(now, before) {
  const points = now !== null && before !== null ? pointsBetween(now, before) : 0;
  return Math.abs(points) < 0.05 ? "" : `${withSign(points)} points`;
}

/**
 * The difference in percentage points of two accuracies as they are shown, with one decimal: what one would subtract.
 * @param {number} now in [0, 1]
 * @param {number} before in [0, 1]
 */
export function pointsBetween(now, before) {
  return Number((100 * now).toFixed(1)) - Number((100 * before).toFixed(1));
}

/** @param {number} number */
function withSign(number) {
  return `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(1)}`;
}

/**
 * An accuracy in per cent; "~" where it lies between two measured networks.
 * @param {number | null} value in [0, 1]
 * @param {boolean} measured
 */
export function formatAccuracy(value, measured) {
  return value === null ? DASH : `${measured ? "" : "~"}${(100 * value).toFixed(1)} %`;
}
