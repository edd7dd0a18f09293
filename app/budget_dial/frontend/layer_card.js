// The card of a layer: why it keeps the filters that it keeps, and which go next.

/** @import { CardData, CostsData, DialState, Pin } from "./types" */
import { CardDrawing } from "./card_drawing.js";
import { gone, nextWords, partWords, scoreWords } from "./card_words.js";
import { setText } from "./dom.js";
import { saveTable } from "./downloads.js";
import { shownNetwork } from "./shown.js";
import { filterRows } from "./tables.js";
import { WhatIf, areOf } from "./what_if.js";

const MOST_PARTNERS = 6; // that are named
const MOST_KERNELS = 128;

export class LayerCard {
  /**
   * @param {HTMLElement} element
   * @param {DialState} state
   * @param {(layer: string) => void} onChoose a layer whose card is to be open; "": none
   * @param {(pin: Pin) => void} onPin
   */
  constructor(element, state, onChoose, onPin) {
    this.element = element;
    this.state = state;
    this.onChoose = onChoose;
    /** @type {CardData | null} */
    this.card = null;
    /** @type {CardDrawing | null} */
    this.drawing = null;
    this.mail = () => {
      if (!element.hidden) this.show();
    };
    window.addEventListener("legr-card", this.mail);
    element.onkeydown = (event) => {
      if (event.key === "Escape") this.onChoose("");
    };
    this.name = make("h2", "bd-card-name");
    this.part = make("p", "bd-card-part");
    this.chart = make("div", "bd-card-chart");
    this.next = make("p", "bd-card-next");
    const tried = make("div", "bd-card-what-if");
    this.whatIf = new WhatIf(tried, (filters) => onPin({ layer: state.charts.layer, filters }));
    this.score = make("p", "bd-card-score");
    this.partners = make("p", "bd-card-partners");
    this.kernels = make("div", "bd-card-kernels");
    this.kernels.ariaHidden = "true"; // pictures, which no words stand for
    this.table = button("CSV", "All filters of the layer as a table", () => this.save());
    const head = make("div", "bd-card-head");
    head.append(
      this.name,
      this.table,
      button("‹", "The layer before", () => this.step(-1)),
      button("›", "The next layer", () => this.step(1)),
      button("×", "Close the card", () => onChoose("")),
    );
    const below = [this.chart, this.next, tried, this.score, this.partners, this.kernels];
    element.replaceChildren(head, this.part, ...below);
  }

  /** Index of the chosen layer in the table; -1: none is chosen. */
  get layer() {
    return this.state.data.table.layers.indexOf(this.state.charts.layer);
  }

  get isOpen() {
    return this.layer >= 0 && !this.state.opened;
  }

  /** Take over the chosen layer, and its card once that has come. */
  show() {
    this.element.hidden = !this.isOpen;
    if (!this.isOpen) return;
    const { data, charts } = this.state;
    const sent = /** @type {CardData | null} */ (/** @type {any} */ (window).legrCard ?? null);
    const isOurs = sent?.id === data.id && sent?.layer === charts.layer && sent?.ranking === data.ranking;
    setText(this.name, charts.layer);
    this.element.ariaBusy = String(!isOurs);
    const card = isOurs ? sent : null;
    if (card !== this.card) {
      this.card = card;
      this.fill();
    }
    this.move(shownNetwork(this.state).row);
  }

  /** Save all filters, as a file. */
  save() {
    const { card, state } = this;
    if (card) saveTable(filterRows(card), `${state.data.study}-${card.ranking}-${card.layer}`);
  }

  /** What does not depend on the budget. */
  fill() {
    const { card } = this;
    this.table.disabled = !card;
    const { charts } = this.state.data;
    this.drawing = card && charts ? new CardDrawing(this.chart, card, charts.style) : null;
    if (!card) this.chart.replaceChildren();
    setText(this.score, card ? scoreWords(card) : "");
    this.fillPartners();
    this.fillKernels();
  }

  fillPartners() {
    const partners = this.card?.partners ?? [];
    const named = partners.slice(0, MOST_PARTNERS).map(({ layer, shared }) => {
      return Object.assign(document.createElement("button"), {
        type: "button",
        textContent: layer,
        title: `${shared} of ${this.card?.numbers.length} filters leave with some of ${layer}`,
        onclick: () => this.onChoose(layer),
      });
    });
    const rest = partners.length - named.length;
    const parts = partners.length ? ["Leaves with ", ...named, rest > 0 ? `and ${rest} more` : ""] : [];
    this.partners.replaceChildren(...parts);
  }

  fillKernels() {
    const kernels = this.card?.kernels;
    const pictures = (kernels?.pixels ?? []).slice(0, MOST_KERNELS).map((pixels) => {
      const canvas = Object.assign(document.createElement("canvas"), {
        width: kernels?.width ?? 0,
        height: kernels?.height ?? 0,
      });
      const image = new ImageData(canvas.width, canvas.height);
      for (let n = 0; n < canvas.width * canvas.height; n++) {
        for (let colour = 0; colour < 3; colour++) {
          image.data[4 * n + colour] = parseInt(pixels.slice(6 * n + 2 * colour, 6 * n + 2 * colour + 2), 16);
        }
        image.data[4 * n + 3] = 255;
      }
      canvas.getContext("2d")?.putImageData(image, 0, 0);
      return canvas;
    });
    this.kernels.replaceChildren(...pictures);
  }

  /**
   * Show what another network keeps.
   * @param {number} row
   */
  move(row) {
    if (!this.isOpen) return;
    const { table } = this.state.data;
    const kept = table.kept[row][this.layer];
    setText(this.part, partWords(table, row, this.layer));
    setText(this.next, this.card ? nextWords(this.card, kept) : "Looking at its filters …");
    this.drawing?.move(kept);
    this.tryOthers(row, kept);
    const left = this.card ? gone(this.card, kept) : 0;
    [...(this.kernels.children ?? [])].forEach((picture, place) => picture.classList.toggle("bd-left", place < left));
  }

  /**
   * Offer other numbers of filters, where their costs are of this very network.
   * @param {number} row
   * @param {number} kept
   */
  tryOthers(row, kept) {
    const { data, charts } = this.state;
    const costs = /** @type {CostsData | null} */ (/** @type {any} */ (window).legrCosts ?? null);
    const isOurs = costs?.id === data.id && areOf(costs, charts.layer, data.ranking, data.table, row);
    if (isOurs) this.whatIf?.show(costs, kept);
    else this.whatIf?.forget();
  }

  /** @param {number} by how many layers further */
  step(by) {
    const { layers } = this.state.data.table;
    this.onChoose(layers[(this.layer + by + layers.length) % layers.length]);
  }

  close() {
    window.removeEventListener("legr-card", this.mail);
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} name of its class
 */
function make(tag, name) {
  return Object.assign(document.createElement(tag), { className: name });
}

/**
 * @param {string} text
 * @param {string} label
 * @param {() => void} act
 */
function button(text, label, act) {
  const made = document.createElement("button");
  return Object.assign(made, { type: "button", textContent: text, ariaLabel: label, title: label, onclick: act });
}
