// The dial: a slider over budgets, with figures and charts that follow it in the browser. Python is told of a budget once
// the user lets go of the slider, and of any other choice at once.

/** @import { Choices, DialState, MountedData, OpenNetwork, QuantityName, SetTrigger } from "./types" */
import { Charts } from "./charts.js";
import { Controls } from "./controls.js";
import { clamp } from "./dom.js";
import { MARKUP } from "./markup.js";
import { QUANTITIES, extremes, outOfReach, rowOfBudget, rowWithin } from "./quantities.js";

const KEYS_REST_MS = 160; // after the last key, before Python is told

export class Dial {
  /**
   * @param {HTMLElement} root
   * @param {MountedData} data
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
      quantity: data.by,
      opened: null,
    };
    /** @type {number | null} how often Python had moved the slider; null: nothing is shown yet */
    this.jumps = null;
    /** @type {MountedData | null} what Python sent while the pointer held the slider */
    this.waiting = null;
    /** @type {Choices} what the user chose and Python has not confirmed yet */
    this.unconfirmed = {};
    this.reportedPercent = data.table.percent[data.table.start];
    /** @type {number | null} */
    this.frame = null;
    /** @type {number | null} */
    this.restTimer = null;
    this.controls = new Controls(root, this.state, {
      onMove: (row) => this.moveTo(row),
      onRelease: () => this.reportAfter(0),
      onLetGo: () => this.showWaiting(),
      onKeys: () => this.reportAfter(KEYS_REST_MS),
      onLimit: (limit) => this.applyLimit(limit),
      onQuantity: (quantity) => this.chooseQuantity(quantity),
      onCompare: () => this.toggleCompare(),
    });
    this.charts = new Charts(root, this.state, {
      onLens: (lens) => this.send({ lens }),
      onAxis: (axis) => this.send({ axis }),
      onDevice: (device) => this.send({ device }),
      onOpen: (percent, ranking, run, page) => this.openNetwork(percent, ranking, run, page),
      onHold: (percent) => this.compareWith(percent),
      onError: (message) => this.controls.say(message),
    });
  }

  /**
   * Take over what Python sends; while the pointer holds the slider, once it lets go.
   * @param {MountedData} data
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
   * Show data. The slider stays where the user has it, unless Python has moved it.
   * @param {MountedData} data
   */
  show(data) {
    const { state } = this;
    const { table } = data;
    const percent = state.data.table.percent[state.row];
    const isReported = percent === this.reportedPercent; // else the user's own move comes first
    const isMoved = isReported && data.jumps !== this.jumps;
    state.row = isMoved ? table.start : rowOfBudget(table, percent);
    if (isReported) this.reportedPercent = table.percent[state.row];
    this.jumps = data.jumps;
    state.data = data;
    this.confirm(data);
    if (!("by" in this.unconfirmed)) state.quantity = data.by;
    if (!extremes(table, state.quantity)) state.quantity = "macs";
    if (!("compared" in this.unconfirmed)) state.comparedPercent = data.compared;
    if (!("run" in this.unconfirmed)) this.takeOpened(data);
    this.findCompared();
    this.controls.show();
    this.charts.show();
    this.charts.draw();
  }

  /**
   * Show the network of a fine-tuning run, if one is open; the slider goes to the same MACs.
   * @param {MountedData} data
   */
  takeOpened({ table, opened }) {
    const { state } = this;
    if (opened && opened.run !== state.opened?.run) {
      state.row = rowOfBudget(table, opened.table.percent[0]);
      this.reportedPercent = table.percent[state.row];
    }
    state.opened = opened;
  }

  /**
   * Forget the choices that Python has taken over.
   * @param {MountedData} data
   */
  confirm({ compared, by, charts, opened }) {
    /** @type {Choices} */
    const confirmed = {
      compared,
      by,
      lens: charts?.lens,
      axis: charts?.axis,
      device: charts?.device,
      run: opened?.run ?? null,
    };
    for (const name of /** @type {(keyof Choices)[]} */ (Object.keys(this.unconfirmed))) {
      if (this.unconfirmed[name] === confirmed[name]) delete this.unconfirmed[name];
    }
  }

  /**
   * Put the slider at a row; the page follows at the next frame.
   * @param {number} row
   */
  moveTo(row) {
    const { state } = this;
    state.row = clamp(0, row, state.data.table.macs.length - 1);
    if (state.opened) this.unconfirmed.run = null; // the slider's network again
    state.opened = null;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.controls.update();
      this.charts.move();
    });
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
    if (data.table.percent[row] !== this.reportedPercent || this.unconfirmed.run === null) this.send();
  }

  /**
   * Tell Python what was chosen. Streamlit keeps only the last trigger of a burst, so each message repeats every
   * unconfirmed choice.
   * @param {Choices} choice
   * @param {{ open?: OpenNetwork, page?: string }} [wish] said once
   */
  send(choice = {}, { open, page } = {}) {
    const { data, row } = this.state;
    Object.assign(this.unconfirmed, choice);
    this.reportedPercent = data.table.percent[row];
    this.setTrigger("view", {
      budget: this.reportedPercent,
      ...this.unconfirmed,
      ...(open && { open }),
      ...(page && { page }),
    });
  }

  /**
   * Go to the largest network within a limit that was typed.
   * @param {number} limit NaN: none
   */
  applyLimit(limit) {
    const { data, quantity } = this.state;
    const { table } = data;
    const row = Number.isFinite(limit) ? rowWithin(table, quantity, limit) : null;
    if (row === null) {
      this.controls.say(Number.isFinite(limit) ? outOfReach(table, quantity, data.remedy) : "");
      this.controls.update();
      return;
    }
    this.controls.say("");
    const typed = Math.round(1e4 * limit) / 1e4;
    // The network keeps its budget as it was typed, where the budget is given in MACs.
    if (quantity === "macs" && typed >= table.macs_percent[row]) table.percent[row] = Math.min(typed, 100);
    this.moveTo(row);
    this.reportAfter(0);
  }

  /** @param {QuantityName} quantity */
  chooseQuantity(quantity) {
    this.state.quantity = quantity;
    this.send({ by: quantity });
    this.controls.update();
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
      this.send({ run }, { page });
      return;
    }
    const isHere = ranking === "original" || ranking === data.ranking;
    if (!isHere || page) {
      this.send({}, { open: { percent, ranking }, page });
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
