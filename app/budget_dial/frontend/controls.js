// The upper part of the dial: the bar, the questions, the headline, the slider and the figures.

/** @import { DialState, QuantityName, Question } from "./types" */
import { Advice } from "./advice.js";
import { Bar } from "./bar.js";
import { find, setText } from "./dom.js";
import { figuresOf, networkFigures } from "./figures.js";
import { headlineNetwork, headlineOf, originalNetwork } from "./headline.js";
import { DASH } from "./numbers.js";
import { QUANTITIES, endsAtOriginal, valueInWords } from "./quantities.js";
import { QuestionRow } from "./question_row.js";
import { lossBand } from "./losses.js";
import { shownNetwork } from "./shown.js";
import { Slider } from "./slider.js";
import { keepUnits } from "./text.js";

/**
 * What the user did.
 * @typedef {object} ControlsHandlers
 * @property {(row: number) => void} onMove the slider stands at another row
 * @property {() => void} onRelease the pointer let go of the slider
 * @property {() => void} onLetGo the pointer has let go, after all else that this caused
 * @property {() => void} onKeys a key moved the slider; another may follow
 * @property {(quantity: QuantityName) => void} onQuantity
 * @property {(question: Question) => void} onAsk
 * @property {(choice: { ranking: string } | { size: number } | { page: string }) => void} onChoice Python is told, and answers
 * @property {() => void} onCompare
 * @property {(multiple: number) => void} onMultiple filters are to be rounded to it from now on
 */

export class Controls {
  /**
   * @param {HTMLElement} root
   * @param {DialState} state
   * @param {ControlsHandlers} handlers
   */
  constructor(root, state, handlers) {
    this.root = root;
    this.state = state;
    this.bar = new Bar(root, state, handlers);
    this.slider = new Slider(root, state, handlers);
    this.questions = new QuestionRow(find(root, ".bd-questions", HTMLElement), {
      onAsk: handlers.onAsk,
      onNeed: (quantity) => {
        if (quantity !== state.quantity) handlers.onQuantity(quantity);
        this.bar.askForLimit();
      },
      onCompare: () => handlers.onChoice({ page: "see" }),
    });
    this.headline = find(root, ".bd-headline", HTMLElement);
    this.answer = find(root, ".bd-answer", HTMLElement);
    this.note = find(root, ".bd-note", HTMLElement);
    this.advice = new Advice(root, state, handlers.onMultiple);
    this.figures = find(root, ".bd-figures", HTMLElement);
    this.ends = root.querySelectorAll(".bd-ends > span");
  }

  /** Whether the pointer holds the slider. */
  get isPressed() {
    return this.slider.isPressed;
  }

  /** Take over new data. */
  show() {
    const { data } = this.state;
    this.root.classList.toggle("bd-strip", !data.charts);
    this.bar.show();
    this.questions.show(data.table);
    this.advice.show();
    this.showScale();
  }

  /** Show the slider for another quantity, or after another question. */
  showScale() {
    const { data, quantity, answer } = this.state;
    const { table, original } = data;
    this.slider.drawMarks(lossBand(table, original, answer));
    const rows = table.macs.map((_, row) => row).filter((row) => QUANTITIES[quantity].at(table, row) !== null);
    const measured = rows[0] > 0 ? " measured" : "";
    setText(this.ends[0], `smallest${measured}: ${valueInWords(table, quantity, rows[0] ?? 0) ?? DASH}`);
    const largest = rows[rows.length - 1] ?? 0;
    const isOriginal = largest === table.macs.length - 1 && endsAtOriginal(table, original);
    setText(this.ends[1], `${isOriginal ? "original" : "largest"}: ${valueInWords(table, quantity, largest) ?? DASH}`);
    this.update();
  }

  /** Show the slider's network, or the one that is open in its place. */
  update() {
    const { data, opened, answer } = this.state;
    this.slider.update();
    this.bar.update();
    this.questions.mark(answer?.asked ?? "");
    setText(this.note, opened?.note ?? data.note);
    const said = keepUnits(answer?.text ?? opened?.note ?? "");
    setText(this.answer, said);
    if (this.answer.title !== said) this.answer.title = said;
    this.answer.classList.toggle("bd-refusal", answer?.row === null);
    this.advice.update();
    this.updateFigures();
  }

  updateFigures() {
    const { data, comparedRow, quantity } = this.state;
    const { table, row } = shownNetwork(this.state);
    const other = comparedRow === null ? data.original : networkFigures(table, comparedRow);
    const than = comparedRow === null ? originalNetwork(data.original) : headlineNetwork(table, comparedRow);
    const headline = keepUnits(headlineOf(headlineNetwork(table, row), than));
    setText(this.headline, headline);
    this.slider.range.setAttribute("aria-valuetext", headline);
    const figures = figuresOf(table, row, other, quantity);
    if (this.figures.childElementCount !== figures.length) {
      const item = "<div><dt></dt><dd></dd><dd><span></span> <small></small></dd></div>";
      this.figures.innerHTML = item.repeat(figures.length);
    }
    figures.forEach(({ caption, value, difference, lessIsBetter, remark, hint, unknown }, n) => {
      const [term, figure, below] = this.figures.children[n].children;
      const against = find(below, "span", HTMLElement);
      setText(term, caption);
      const isKnown = value !== DASH;
      figure.classList.toggle("bd-unknown", !isKnown);
      setText(figure, value);
      setText(against, isKnown ? difference : unknown);
      setText(find(below, "small", HTMLElement), remark);
      const item = /** @type {HTMLElement} */ (this.figures.children[n]);
      if (item.title !== hint) item.title = hint;
      const kind = !difference ? "" : difference.startsWith("−") === lessIsBetter ? "good" : "bad";
      if (against.dataset.kind !== kind) against.dataset.kind = kind;
    });
  }
}
