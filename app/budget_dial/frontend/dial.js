// The dial: a slider over budgets, with figures and charts that follow it in the browser. Python is told of a budget once
// the user lets go of the slider, and of any other choice at once.

/** @import { Choices } from "./choices.js" */
/** @import { ChartChoices, DialState, OpenNetwork, QuantityName, Question, SetTrigger, ShownData } from "./types" */
import { Asking } from "./asking.js";
import { Charts } from "./charts.js";
import { Controls } from "./controls.js";
import { clamp } from "./dom.js";
import { MARKUP } from "./markup.js";
import { extremes, rowOfBudget } from "./quantities.js";
import { Reporter } from "./reporter.js";
import { sliderScale } from "./slider_scale.js";
import { Tour } from "./tour.js";

const KEYS_REST_MS = 160; // after the last key, before Python is told

export class Dial {
  /**
   * @param {HTMLElement} root
   * @param {ShownData} data
   * @param {SetTrigger} setTrigger
   * @param {Choices | null} former the choices of the dial whose place this one takes
   */
  constructor(root, data, setTrigger, former) {
    root.innerHTML = MARKUP;
    /** @type {DialState} */
    this.state = {
      data,
      row: data.table.start,
      comparedPercent: null,
      comparedRow: null,
      quantity: data.view.by,
      scale: sliderScale(data.table, data.view.by, data.original),
      charts: chartChoices(data.view),
      opened: null,
      answer: null,
      typed: null,
    };
    this.asking = new Asking(this.state);
    /** @type {number | null} how often something else had changed the view; null: nothing is shown yet */
    this.jumps = null;
    /** @type {ShownData | null} what Python sent while the pointer held the slider */
    this.waiting = null;
    this.reporter = new Reporter(this.state, this.asking, setTrigger, () => this.charts.draw());
    this.isSuccessor = former !== null;
    if (former) this.goOnWith(former);
    /** @type {number | null} */
    this.frame = null;
    this.controls = new Controls(root, this.state, {
      onMove: (row) => this.moveTo(row),
      onRelease: () => this.reporter.reportAfter(0),
      onLetGo: () => this.showWaiting(),
      onKeys: () => this.reporter.reportAfter(KEYS_REST_MS),
      onQuantity: (quantity) => this.chooseQuantity(quantity),
      onAsk: (question) => this.ask(question),
      onChoice: (choice) => {
        if ("ranking" in choice || "size" in choice) this.release();
        this.reporter.send(choice);
      },
      onCompare: () => this.toggleCompare(),
      onMultiple: (multiple) => this.reporter.send({ multiple }),
    });
    this.charts = new Charts(root, this.state, {
      onChoose: (choice) => this.choose(choice),
      onDevice: (device) => this.reporter.send({ device }),
      onOpen: (network, run, page) => this.openNetwork(network, run, page),
      onPin: (pin) => this.reporter.send({ pin }),
      onHold: (percent) => this.compareWith(percent),
      onError: (message) => this.say(message),
    });
    this.tour = new Tour(this);
  }

  /**
   * Show what was chosen in the former dial, and Python had not heard yet.
   * @param {Choices} choices
   */
  goOnWith(choices) {
    const { state, reporter } = this;
    const { table, view } = state.data;
    choices.forget(view.heard);
    reporter.choices = choices;
    const { budget, by, compared, ...chosen } = choices.values();
    if (budget !== undefined) state.row = rowOfBudget(table, budget);
    if (by !== undefined) state.quantity = by;
    if (compared !== undefined) state.comparedPercent = compared;
    state.charts = chartChoices({ ...view, ...chosen });
  }

  /**
   * Take over what Python sends; while the pointer holds the slider, once it lets go.
   * @param {ShownData} data
   * @param {SetTrigger} setTrigger
   */
  receive(data, setTrigger) {
    this.reporter.setTrigger = setTrigger;
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
    const { state, reporter } = this;
    const { table, view } = data;
    const percent = state.data.table.percent[state.row];
    const isReported = percent === reporter.percent; // else the user's own move comes first
    const isChanged = view.jumps !== this.jumps;
    if (isChanged) {
      reporter.choices.forget(view.heard);
      if (this.jumps !== null || this.isSuccessor) reporter.agreeOn(view.address);
    }
    this.jumps = view.jumps;
    state.data = data;
    state.row = isChanged && isReported && !reporter.choices.has("budget") ? table.start : rowOfBudget(table, percent);
    if (isReported) reporter.percent = table.percent[state.row];
    if (isChanged) this.takeView(data);
    else if (state.opened) state.opened = data.opened;
    if (!extremes(table, state.quantity)) state.quantity = "macs";
    this.findCompared();
    state.scale = sliderScale(table, state.quantity, data.original);
    if (isChanged && !reporter.choices.has("ask")) this.takeQuestion((reporter.question = view.ask));
    else this.takeQuestion(this.asking.asked);
    this.controls.show();
    this.charts.show();
    this.charts.draw();
    this.tell();
  }

  /** Tell what else stands on the page where the slider is, now and when it comes. */
  tell() {
    /** @type {any} */ (window).legrBudget = this.state.data.table.percent[this.state.row];
    window.dispatchEvent(new CustomEvent("legr-budget"));
  }

  /**
   * Answer a question as the address line says it; a new one moves the slider.
   * @param {string} asked
   */
  takeQuestion(asked) {
    const row = this.asking.take(asked);
    if (row === null) return;
    if (this.state.opened) this.reporter.hasLeftRun = true;
    Object.assign(this.state, { row, opened: null });
    this.reporter.reportAfter(0);
  }

  /**
   * Take over the view, but for what the user has chosen since.
   * @param {ShownData} data
   */
  takeView({ table, view, opened }) {
    const { state, reporter } = this;
    const { choices } = reporter;
    if (!choices.has("by")) state.quantity = view.by;
    const shown = Object.entries(chartChoices(view)).filter(([name]) => !choices.has(/** @type {any} */ (name)));
    state.charts = { ...state.charts, ...Object.fromEntries(shown) };
    if (!choices.has("compared")) state.comparedPercent = view.compared;
    if (choices.has("run") || reporter.hasLeftRun) return;
    if (opened && opened.run !== state.opened?.run) {
      state.row = rowOfBudget(table, opened.table.percent[0]); // of the same MACs
      reporter.percent = table.percent[state.row];
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
    if (state.opened) this.reporter.hasLeftRun = true;
    state.opened = null;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.controls.update();
      this.charts.move();
      this.tell();
    });
  }

  /** The answer holds no more, as the slider goes elsewhere. */
  forgetQuestion() {
    const { answer } = this.state;
    this.asking.forget();
    if (answer?.points !== undefined) this.controls.showScale(); // the usual band again
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
    this.reporter.reportAfter(0);
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
    this.reporter.send({ by: quantity });
    this.controls.show();
  }

  /** @param {Partial<ChartChoices>} choice what the charts show */
  choose(choice) {
    Object.assign(this.state.charts, choice);
    this.reporter.send(choice);
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
    this.reporter.send({ compared: state.comparedPercent });
    this.controls.update();
    this.charts.draw();
  }

  /** Compare with the original again: another ranking does not lead to the network that is held. */
  release() {
    if (this.state.comparedPercent !== null) this.compareWith(null);
  }

  findCompared() {
    const { state } = this;
    state.comparedRow = state.comparedPercent === null ? null : rowOfBudget(state.data.table, state.comparedPercent);
  }

  /**
   * Go to a measured network. One of another ranking or size of images, or of none of today, has another table, so Python
   * opens it.
   * @param {OpenNetwork} network
   * @param {string} run key of the fine-tuning run that it is of, where no ranking leads to it; else ""
   * @param {string} [page] to go to with it
   */
  openNetwork(network, run, page) {
    const { percent, ranking, size } = network;
    const { data } = this.state;
    this.forgetQuestion();
    if (run) {
      this.reporter.send({ run, ...(page && { page }) });
      return;
    }
    const isHere = (ranking === "original" || ranking === data.ranking) && size === data.size;
    if (!isHere || page) {
      if (!isHere) this.release();
      const open = { ...network, ranking: ranking === "original" ? data.ranking : ranking };
      this.reporter.send({ open, ...(page && { page }) });
      return;
    }
    this.moveTo(rowOfBudget(data.table, percent));
    this.reporter.reportAfter(0);
  }

  /** Tell Python what it does not know yet, and give back what the page holds for the dial. */
  close() {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    if (this.controls.isPressed) this.reporter.report();
    this.tour.close();
    this.reporter.close();
    this.charts.close();
  }
}

/**
 * What of a view the charts show.
 * @param {ChartChoices} view
 * @returns {ChartChoices}
 */
function chartChoices({ lens, axis, whole, error, others, layer }) {
  return { lens, axis, whole, error, others, layer };
}
