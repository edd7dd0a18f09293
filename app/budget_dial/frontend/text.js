// Text from elsewhere, such as names of layers, made harmless where it is shown or saved; legr/escape.py does the same in
// Python.

/** @import { Cell } from "./types" */

const HIDDEN = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu; // without the joiners that some scripts need
const FORMULA = /^\s*[=+\-@＝＋－＠]/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NUMBER_AND_UNIT = /(\d) (%|ms|MB|[kMG])(?![\p{L}\p{N}])/gu;
const LONGEST_FILE_NAME = 120;

/**
 * With characters that act on others shown as escapes.
 * @param {string} text
 */
function showHidden(text) {
  return text.replace(HIDDEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/**
 * A text as Plotly shows it, which reads tags and entities in every text of a chart.
 * @param {string} text
 */
export function escapeTags(text) {
  return showHidden(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/**
 * A sentence in which no line ends between a number and its unit.
 * @param {string} text
 */
export function keepUnits(text) {
  return text.replace(NUMBER_AND_UNIT, "$1\u00a0$2");
}

/**
 * A cell that no spreadsheet takes for a formula: a text that begins like one gets an apostrophe (OWASP).
 * @param {Cell} cell
 */
export function safeCell(cell) {
  if (typeof cell !== "string") return String(cell ?? "");
  const text = showHidden(cell);
  return FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}

/**
 * A name for a file: letters, digits and -._ stay.
 * @param {string} name
 */
export function fileName(name) {
  return (
    name
      .replace(/[^\p{L}\p{N}_.-]/gu, "_")
      .replace(/^[.-]+/, "")
      .slice(0, LONGEST_FILE_NAME) || "_"
  );
}
