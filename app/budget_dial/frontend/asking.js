// The question that the dial answers: asked by a button, by a number that was typed, or by the address line.

/** @import { DialState, ShownData, Question } from "./types" */
import { answerTo, parseQuestion, questionText, whereTimed } from "./questions.js";

export class Asking {
  /** @param {DialState} state */
  constructor(state) {
    this.state = state;
    /** The question, as the address line says it; "": none. */
    this.asked = "";
  }

  /**
   * Answer a question, and return the row that it leads to; null: to none.
   * @param {Question} question
   */
  answer(question) {
    const { state } = this;
    const { table, original, remedy, charts } = state.data;
    const answer = answerTo(question, table, original, remedy, charts ? whereTimed(charts) : "");
    if (answer.row !== null) nameBudget(state.data, question, answer.row);
    state.answer = { ...answer, asked: questionText(question) };
    const isTyped = question.kind === "need" && question.quantity === state.quantity;
    const isBudget = question.kind === "need" && question.quantity === "macs"; // the address line says it already
    state.typed = isTyped && !(isBudget && answer.row !== null) ? String(question.limit) : null;
    this.asked = isBudget ? "" : questionText(question);
    return answer.row;
  }

  /**
   * Answer the question of the address line: a new one, or the one before for new data. Returns the row that a new one
   * leads to; null: to none.
   * @param {string} asked
   */
  take(asked) {
    const question = parseQuestion(asked);
    const isNew = asked !== this.asked;
    if (question) {
      const row = this.answer(question);
      return isNew ? row : null;
    }
    if (isNew) this.forget();
    return null;
  }

  /** Forget the question. */
  forget() {
    Object.assign(this.state, { answer: null, typed: null });
    this.asked = "";
  }
}

/**
 * A network keeps its budget as it was typed, where the budget is given in MACs. With images of another size that is
 * not the budget that leads to its kept set.
 * @param {ShownData} data
 * @param {Question} question
 * @param {number} row
 */
function nameBudget({ table }, question, row) {
  if (question.kind !== "need" || question.quantity !== "macs") return;
  const typed = Math.round(1e4 * question.limit) / 1e4;
  if (typed >= table.macs_percent[row]) table.stated[row] = Math.min(typed, Math.max(100, table.macs_percent[row]));
}
