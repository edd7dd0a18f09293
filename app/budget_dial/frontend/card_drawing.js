// The scores of a layer's filters as bars, the first to leave at the left, and the line between those that have left and
// those that stay. A drag changes three paths.

/** @import { CardData, ChartStyle } from "./types" */
import { filterLines, gone, nextToGo } from "./card_words.js";
import { clamp } from "./dom.js";
import { threeDigits } from "./numbers.js";
import { add } from "./svg.js";

const [CARD_WIDTH, CARD_HEIGHT] = [600, 170]; // of the drawing's own units, which are stretched to the page
const NEXT_COLOUR = "#e58a1f";

export class CardDrawing {
  /**
   * @param {HTMLElement} element is emptied
   * @param {CardData} card
   * @param {ChartStyle} style
   */
  constructor(element, card, style) {
    this.card = card;
    const scores = card.scores.map((score) => score ?? 0);
    this.low = Math.min(0, ...scores);
    this.high = Math.max(1e-9, ...scores);
    const viewBox = `0 0 ${CARD_WIDTH} ${CARD_HEIGHT}`;
    this.svg = add(element, "svg", { viewBox, preserveAspectRatio: "none", role: "img" });
    const colours = style.colours;
    this.left = this.path({ fill: colours.removed, stroke: colours.original, "stroke-width": 1 });
    this.kept = this.path({ fill: colours[card.ranking] });
    this.next = this.path({ fill: NEXT_COLOUR });
    this.line = this.path({
      stroke: "var(--st-text-color)",
      "stroke-width": 1.5,
      "stroke-dasharray": "5 4",
      fill: "none",
    });
    this.tip = Object.assign(document.createElement("div"), { className: "bd-tip", hidden: true });
    const ends = Object.assign(document.createElement("div"), { className: "bd-card-ends" });
    ends.append("leave first", Object.assign(document.createElement("span"), { textContent: "stay longest" }));
    this.top = Object.assign(document.createElement("div"), {
      className: "bd-card-top",
      textContent: `score up to ${threeDigits(this.high)}`,
    });
    element.replaceChildren(this.top, this.svg, ends, this.tip);
    this.listen();
  }

  /** @param {Record<string, string | number>} attributes */
  path(attributes) {
    return add(this.svg, "path", { "vector-effect": "non-scaling-stroke", ...attributes });
  }

  /** @param {number} score */
  y(score) {
    return CARD_HEIGHT - 1 - ((score - this.low) / (this.high - this.low)) * (CARD_HEIGHT - 2);
  }

  /**
   * Bars of some filters.
   * @param {number} first place
   * @param {number} last place behind them
   */
  bars(first, last) {
    const pitch = CARD_WIDTH / this.card.numbers.length;
    const gap = pitch > 4 ? 0.1 * pitch : 0;
    const ground = this.y(0);
    let path = "";
    for (let place = first; place < last; place++) {
      const edge = this.y(this.card.scores[place] ?? this.high); // what can never leave stands highest
      path += `M${place * pitch + gap},${ground}V${edge}H${(place + 1) * pitch - gap}V${ground}Z`;
    }
    return path || "M0,0";
  }

  /**
   * Show what a network keeps.
   * @param {number} kept filters of the layer
   */
  move(kept) {
    const { card } = this;
    const first = gone(card, kept);
    const next = nextToGo(card, kept)?.places.length ?? 0;
    this.left.setAttribute("d", this.bars(0, first));
    this.next.setAttribute("d", this.bars(first, first + next));
    this.kept.setAttribute("d", this.bars(first + next, card.numbers.length));
    const x = (first * CARD_WIDTH) / card.numbers.length;
    this.line.setAttribute("d", `M${x},0V${CARD_HEIGHT}`);
    this.svg.ariaLabel = `Scores of ${card.numbers.length} filters in the order in which they leave: the first ${first} have left.`;
  }

  listen() {
    const { svg, tip, card } = this;
    svg.onpointermove = svg.onpointerdown = ({ clientX }) => {
      const { left, width } = svg.getBoundingClientRect();
      const place = clamp(0, Math.floor(((clientX - left) / width) * card.numbers.length), card.numbers.length - 1);
      tip.hidden = false;
      tip.replaceChildren(
        ...filterLines(card, place).map((text) => Object.assign(document.createElement("div"), { textContent: text })),
      );
      const x = clientX - left - tip.offsetWidth / 2;
      tip.style.left = `${clamp(0, x, Math.max(0, width - tip.offsetWidth))}px`;
    };
    svg.onpointerleave = () => {
      tip.hidden = true;
    };
  }
}
