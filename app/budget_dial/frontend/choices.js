// What the user chose in the dial. The dial answers at once and tells Python, which sends the view back only where
// something else than the dial has changed it.

/** @import { Choice, ViewChange } from "./types" */

/** The choices made since the view was last taken over from Python, the latest of each name. */
export class Choices {
  /**
   * @param {number} heard number of the last report that Python has heard
   * @param {() => number} now milliseconds; reports of a dial that came earlier have lower numbers
   */
  constructor(heard, now = Date.now) {
    this.number = heard;
    this.now = now;
    /** @type {Choice[]} in the order in which they were made */
    this.made = [];
  }

  /**
   * The next report. Streamlit keeps only the last of a burst, so each repeats all choices; Python knows by their numbers
   * which it has heard.
   * @param {Partial<Record<Choice["name"], unknown>>} choices
   * @returns {ViewChange}
   */
  report(choices) {
    const number = Math.max(this.number + 1, this.now());
    this.number = number;
    for (const [name, value] of /** @type {[Choice["name"], unknown][]} */ (Object.entries(choices))) {
      this.made = [...this.made.filter((choice) => choice.name !== name), { name, value, number }];
    }
    return { number, choices: this.made };
  }

  /**
   * Something else has changed the view: forget the choices that Python had heard by then.
   * @param {number} heard
   */
  forget(heard) {
    this.made = this.made.filter(({ number }) => number > heard);
  }

  /**
   * What was chosen, by name.
   * @returns {Record<string, any>}
   */
  values() {
    return Object.fromEntries(this.made.map(({ name, value }) => [name, value]));
  }

  /**
   * Whether the user's own choice counts, in place of what Python says.
   * @param {Choice["name"]} name
   */
  has(name) {
    return this.made.some((choice) => choice.name === name);
  }
}
