// What another number of filters of one layer would change: a slider over the numbers, and the whole network's figures.

/** @import { CostsData, DialTable } from "./types" */
import { setText } from "./dom.js";
import { formatCount, percentChange, threeDigits } from "./numbers.js";

/**
 * What the network would cost with another number of filters, such as
 * "24 instead of 32 filters, all else as it is: −0.31 M MACs (−0.7 %), −1.2 k parameters, −0.012 ms. Accuracy: not measured".
 * @param {CostsData} costs
 * @param {number} own place of the number that the network has
 * @param {number} place of the other number
 */
export function whatIfWords(costs, own, place) {
  const { kept, macs, params, latency } = costs;
  if (place === own) return `It keeps ${kept[own]}. What if it kept another number?`;
  const share = percentChange(macs[place], macs[own]);
  const parts = [
    `${difference(macs[place] - macs[own])} MACs${share && ` (${share})`}`,
    `${difference(params[place] - params[own])} parameters`,
  ];
  if (latency) {
    const change = latency[place] - latency[own];
    parts.push(`${change < 0 ? "−" : "+"}${threeDigits(Math.abs(change))} ms predicted`);
  }
  return `${kept[place]} instead of ${kept[own]} filters, all else as it is: ${parts.join(", ")}. Accuracy: not measured.`;
}

/** @param {number} count */
function difference(count) {
  return `${count < 0 ? "−" : "+"}${formatCount(Math.abs(count))}`;
}

export class WhatIf {
  /**
   * @param {HTMLElement} element
   * @param {(filters: number) => void} onPin
   */
  constructor(element, onPin) {
    this.element = element;
    /** @type {CostsData | null} */
    this.costs = null;
    this.own = 0;
    this.range = Object.assign(document.createElement("input"), { type: "range", min: "0", step: "1" });
    this.range.ariaLabel = "Filters that the layer would keep";
    this.words = document.createElement("output");
    this.pin = Object.assign(document.createElement("button"), { type: "button", textContent: "Pin here" });
    this.pin.title =
      "The layer keeps exactly so many filters at every budget. The budget stays, so other layers change instead. Undo stands below the charts";
    this.range.oninput = () => this.say();
    this.pin.onclick = () => this.costs && onPin(this.costs.kept[Number(this.range.value)]);
    element.replaceChildren(this.range, this.pin, this.words);
  }

  /**
   * Begin at what a network keeps.
   * @param {CostsData | null} costs of that network; null: they are not known
   * @param {number} kept
   */
  show(costs, kept) {
    const own = costs?.kept.indexOf(kept) ?? -1;
    const isOffered = own >= 0 && (costs?.kept.length ?? 0) > 1; // rounded channels may leave one number
    this.element.style.visibility = isOffered ? "" : "hidden";
    if (!costs || own < 0 || costs === this.costs) return;
    this.costs = costs;
    this.own = own;
    this.range.max = String(costs.kept.length - 1);
    this.range.value = String(own);
    this.say();
  }

  say() {
    if (!this.costs) return;
    const place = Number(this.range.value);
    setText(this.words, whatIfWords(this.costs, this.own, place));
    this.range.ariaValueText = `${this.costs.kept[place]} filters`;
    this.pin.disabled = place === this.own;
  }

  /** The slider moves: what is shown holds no more. It keeps its place, so that nothing jumps. */
  forget() {
    this.element.style.visibility = "hidden";
    this.costs = null;
  }
}

/**
 * Whether costs are those of the network of a row.
 * @param {CostsData | null} costs
 * @param {string} layer
 * @param {string} ranking
 * @param {DialTable} table
 * @param {number} row
 */
export function areOf(costs, layer, ranking, table, row) {
  if (costs?.layer !== layer || costs.ranking !== ranking) return false;
  const own = costs.kept.indexOf(table.kept[row][table.layers.indexOf(layer)]);
  const [told, predicted] = [costs.latency?.[own], table.predicted[row]];
  const isOfDevice = told === undefined || (predicted !== null && Math.abs(told - predicted) <= 2e-3 * predicted);
  return costs.macs[own] === table.macs[row] && isOfDevice;
}
