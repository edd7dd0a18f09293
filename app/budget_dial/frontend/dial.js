// The dial: a slider over budgets, with figures and charts that follow it in the browser. Python is told of a budget once
// the user lets go of the slider, and of any other choice at once.

/** @import { Choice, DialState, Lens, QuantityName, Question, SetTrigger, ShownData } from "./types" */
import { Asking } from "./asking.js";
import { Charts } from "./charts.js";
import { Choices } from "./choices.js";
import { Controls } from "./controls.js";
import { clamp } from "./dom.js";
import { MARKUP } from "./markup.js";
import { extremes, rowOfBudget } from "./quantities.js";
import { sliderScale } from "./slider_scale.js";

const KEYS_REST_MS = 160; // after the last key, before Python is told

export class Dial {
  /**
   * @param {HTMLElement} root
   * @param {ShownData} data
   * @param {SetTrigger} setTrigger
   */
  constructor(root, data, setTrigger) {
    root.innerHTML = MARKUP;
    this.setTrigger = setTrigger;
    /** @type {DialState} */
    this.state = {
      data,
      row: data.table.start,
      comparedPercent: null,
      comparedRow: null,
      quantity: data.view.by,
      scale: sliderScale(data.table, data.view.by, data.original),
      lens: data.view.lens,
      axis: data.view.axis,
      opened: null,
      answer: null,
      typed: null,
    };
    this.asking = new Asking(this.state);
    /** @type {number | null} how often something else had changed the view; null: nothing is shown yet */
    this.jumps = null;
    /** @type {ShownData | null} what Python sent while the pointer held the slider */
    this.waiting = null;
    this.choices = new Choices(data.view.heard);
    this.reportedPercent = data.table.percent[data.table.start];
    this.hasLeftRun = false; // for the slider's own network, and Python was not told yet
    this.reportedQuestion = ""; // as Python knows it
    /** @type {number | null} */
    this.frame = null;
    /** @type {number | null} */
    this.restTimer = null;
    this.controls = new Controls(root, this.state, {
      onMove: (row) => this.moveTo(row),
      onRelease: () => this.reportAfter(0),
      onLetGo: () => this.showWaiting(),
      onKeys: () => this.reportAfter(KEYS_REST_MS),
      onQuantity: (quantity) => this.chooseQuantity(quantity),
      onAsk: (question) => this.ask(question),
      onRanking: (ranking) => this.send({ ranking }),
      onCompare: () => this.toggleCompare(),
    });
    this.charts = new Charts(root, this.state, {
      onLens: (lens) => this.choose({ lens }),
      onAxis: (axis) => this.choose({ axis }),
      onDevice: (device) => this.send({ device }),
      onOpen: (percent, ranking, run, page) => this.openNetwork(percent, ranking, run, page),
      onHold: (percent) => this.compareWith(percent),
      onError: (message) => this.say(message),
    });
  }

  /**
   * Take over what Python sends; while the pointer holds the slider, once it lets go.
   * @param {ShownData} data
   * @param {SetTrigger} setTrigger
   */
  receive(data, setTrigger) {
    this.setTrigger = setTrigger;
    if (this.controls.isPressed) this.waiting = data;
    else this.show(data);
  }

  showWaiting() {
    const data = this.waiting;
    this.waiting = null;
    if (data) this.show(data);
  }

  /**
   * Show data. What the user sees stays, unless something else than the dial has changed the view.
   * @param {ShownData} data
   */
  show(data) {
    const { state } = this;
    const { table, view } = data;
    const percent = state.data.table.percent[state.row];
    const isReported = percent === this.reportedPercent; // else the user's own move comes first
    const isChanged = view.jumps !== this.jumps;
    if (isChanged) this.choices.forget(view.heard);
    this.jumps = view.jumps;
    state.data = data;
    state.row = isChanged && isReported && !this.choices.has("budget") ? table.start : rowOfBudget(table, percent);
    if (isReported) this.reportedPercent = table.percent[state.row];
    if (isChanged) this.takeView(data);
    else if (state.opened) state.opened = data.opened;
    if (!extremes(table, state.quantity)) state.quantity = "macs";
    this.findCompared();
    state.scale = sliderScale(table, state.quantity, data.original);
    if (isChanged && !this.choices.has("ask")) this.takeQuestion((this.reportedQuestion = view.ask));
    else this.takeQuestion(this.asking.asked);
    this.controls.show();
    this.charts.show();
    this.charts.draw();
  }

  /**
   * Answer a question as the address line says it; a new one moves the slider.
   * @param {string} asked
   */
  takeQuestion(asked) {
    const row = this.asking.take(asked);
    this.state.row = row ?? this.state.row;
    if (row !== null) this.reportAfter(0);
  }

  /**
   * Take over the view, but for what the user has chosen since.
   * @param {ShownData} data
   */
  takeView({ table, view, opened }) {
    const { state, choices } = this;
    if (!choices.has("by")) state.quantity = view.by;
    if (!choices.has("lens")) state.lens = view.lens;
    if (!choices.has("axis")) state.axis = view.axis;
    if (!choices.has("compared")) state.comparedPercent = view.compared;
    if (choices.has("run") || this.hasLeftRun) return;
    if (opened && opened.run !== state.opened?.run) {
      state.row = rowOfBudget(table, opened.table.percent[0]); // of the same MACs
      this.reportedPercent = table.percent[state.row];
    }
    state.opened = opened;
  }

  /**
   * Put the slider at a row; the page follows at the next frame.
   * @param {number} row
   */
  moveTo(row) {
    if (this.state.answer) this.forgetQuestion();
    this.goTo(row);
  }

  /** @param {number} row */
  goTo(row) {
    const { state } = this;
    state.row = clamp(0, row, state.data.table.macs.length - 1);
    if (state.opened) this.hasLeftRun = true;
    state.opened = null;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.controls.update();
      this.charts.move();
    });
  }

  /** The answer holds no more, as the slider goes elsewhere. */
  forgetQuestion() {
    const { answer } = this.state;
    this.asking.forget();
    if (answer?.from !== undefined) this.controls.showScale(); // the usual band again
  }

  /**
   * Tell Python of the budget once the user has been still for so long, and draw the charts anew.
   * @param {number} milliseconds
   */
  reportAfter(milliseconds) {
    if (this.restTimer !== null) clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => {
      this.report();
      this.charts.draw();
    }, milliseconds);
  }

  /** Tell Python of the budget, if it is another than Python knows. */
  report() {
    if (this.restTimer !== null) clearTimeout(this.restTimer);
    this.restTimer = null;
    const { data, row } = this.state;
    if (
      data.table.percent[row] !== this.reportedPercent ||
      this.hasLeftRun ||
      this.asking.asked !== this.reportedQuestion
    ) {
      this.send();
    }
  }

  /**
   * Tell Python what was chosen, and the budget if it is another than Python knows.
   * @param {Partial<Record<Choice["name"], unknown>>} choices
   */
  send(choices = {}) {
    const { data, row } = this.state;
    const budget = data.table.percent[row];
    const moved = budget === this.reportedPercent ? {} : { budget };
    const left = this.hasLeftRun ? { run: null } : {};
    const { asked: ask } = this.asking;
    const asked = ask === this.reportedQuestion ? {} : { ask };
    [this.hasLeftRun, this.reportedQuestion] = [false, ask];
    this.reportedPercent = budget;
    this.setTrigger("view", this.choices.report({ ...moved, ...left, ...asked, ...choices }));
  }

  /**
   * Answer a question, and go to the network that it leads to.
   * @param {Question} question
   */
  ask(question) {
    this.forgetQuestion();
    const row = this.asking.answer(question);
    if (row !== null) this.goTo(row);
    this.controls.showScale();
    this.reportAfter(0);
  }

  /** @param {string} text */
  say(text) {
    this.state.answer = { text, row: null };
    this.controls.update();
  }

  /** @param {QuantityName} quantity */
  chooseQuantity(quantity) {
    this.state.quantity = quantity;
    this.forgetQuestion();
    this.state.scale = sliderScale(this.state.data.table, quantity, this.state.data.original);
    this.send({ by: quantity });
    this.controls.show();
  }

  /** @param {{ lens: Lens } | { axis: string }} choice what the charts show */
  choose(choice) {
    Object.assign(this.state, choice);
    this.send(choice);
    this.charts.show();
    this.charts.draw();
  }

  /** Compare with the slider's network from now on, or with the original again. */
  toggleCompare() {
    const { state } = this;
    this.compareWith(state.comparedPercent === null ? state.data.table.percent[state.row] : null);
  }

  /** @param {number | null} percent of the original's MACs; null: the original */
  compareWith(percent) {
    const { state } = this;
    state.comparedPercent = percent;
    this.findCompared();
    this.send({ compared: state.comparedPercent });
    this.controls.update();
    this.charts.draw();
  }

  findCompared() {
    const { state } = this;
    state.comparedRow = state.comparedPercent === null ? null : rowOfBudget(state.data.table, state.comparedPercent);
  }

  /**
   * Go to a measured network. One of another ranking, or of none of today, has another table, so Python opens it.
   * @param {number} percent of the original's MACs
   * @param {string} ranking
   * @param {string} run key of the fine-tuning run that it is of, where no ranking leads to it; else ""
   * @param {string} [page] to go to with it
   */
  openNetwork(percent, ranking, run, page) {
    const { data } = this.state;
    if (run) {
      this.send({ run, ...(page && { page }) });
      return;
    }
    const isHere = ranking === "original" || ranking === data.ranking;
    if (!isHere || page) {
      this.send({ open: { percent, ranking }, ...(page && { page }) });
      return;
    }
    this.moveTo(rowOfBudget(data.table, percent));
    this.reportAfter(0);
  }

  /** Tell Python what it does not know yet, and give back what the page holds for the dial. */
  close() {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    if (this.restTimer !== null || this.controls.isPressed) this.report();
    this.charts.close();
  }
}
