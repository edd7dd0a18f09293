// What Python is told, and when: of the budget once the user has been still for a while, of any other choice at once.

/** @import { Asking } from "./asking.js" */
/** @import { Choice, DialState, SetTrigger } from "./types" */
import { saysTheSame } from "./address.js";
import { Choices } from "./choices.js";

const AGREEMENT_MS = 1000; // after something else has changed the view, before the address is looked at

export class Reporter {
  /**
   * @param {DialState} state
   * @param {Asking} asking
   * @param {SetTrigger} setTrigger
   * @param {() => void} onRest what else is done once the user is still
   */
  constructor(state, asking, setTrigger, onRest) {
    this.state = state;
    this.asking = asking;
    this.setTrigger = setTrigger;
    this.onRest = onRest;
    this.choices = new Choices(state.data.view.heard);
    /** The budget and the question, as Python knows them. */
    this.percent = state.data.table.percent[state.row];
    this.question = "";
    this.hasLeftRun = false; // for the slider's own network, and Python was not told yet
    /** @type {number | null} */
    this.timer = null;
    /** @type {number | null} */
    this.agreement = null;
  }

  /**
   * Tell Python of the budget once the user has been still for so long.
   * @param {number} milliseconds
   */
  reportAfter(milliseconds) {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.report();
      this.onRest();
    }, milliseconds);
  }

  /** Tell Python of the budget, if it is another than Python knows. */
  report() {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const { data, row } = this.state;
    const isOther = data.table.percent[row] !== this.percent || this.asking.asked !== this.question;
    if (isOther || this.hasLeftRun) this.send();
  }

  /**
   * Tell Python what was chosen, and the budget if it is another than Python knows.
   * @param {Partial<Record<Choice["name"], unknown>>} choices
   */
  send(choices = {}) {
    const { data, row } = this.state;
    const budget = data.table.percent[row];
    const moved = budget === this.percent ? {} : { budget };
    const left = this.hasLeftRun ? { run: null } : {};
    const { asked: ask } = this.asking;
    const asked = ask === this.question ? {} : { ask };
    [this.hasLeftRun, this.question, this.percent] = [false, ask, budget];
    this.setTrigger("view", this.choices.report({ ...moved, ...left, ...asked, ...choices }));
  }

  /**
   * Something else, such as Back, has changed the view. What was chosen in that moment may have been lost on its way, or
   * have changed the address after Back had: tell it again then, which lets Python put the address right.
   * @param {string} address of the changed view
   */
  agreeOn(address) {
    if (this.agreement !== null) clearTimeout(this.agreement);
    this.agreement = setTimeout(() => {
      this.agreement = null;
      if (this.choices.made.length > 0 || !saysTheSame(location.search, address)) this.send();
    }, AGREEMENT_MS);
  }

  /** Tell what is left to tell. */
  close() {
    if (this.agreement !== null) clearTimeout(this.agreement);
    if (this.timer !== null) this.report();
  }
}
