// The row of questions: each is a link that can be shared, and is answered in the browser.

/** @import { DialTable, QuantityName, Question } from "./types" */
import { availableQuantities } from "./quantities.js";
import { LOSSES, PRESETS, PRESET_TITLES, questionText } from "./questions.js";

/** @type {[QuantityName, string][]} */
const NEEDS = [
  ["fps", "frames a second"],
  ["latency", "ms"],
  ["size", "MB"],
  ["top1", "% top-1"],
];

export class QuestionRow {
  /**
   * @param {HTMLElement} element
   * @param {(question: Question) => void} onAsk
   * @param {(quantity: QuantityName) => void} onNeed a limit of this quantity is to be typed
   */
  constructor(element, onAsk, onNeed) {
    this.element = element;
    this.onAsk = onAsk;
    this.onNeed = onNeed;
    this.names = "";
  }

  /**
   * Offer the questions that have an answer in this study.
   * @param {DialTable} table
   */
  show(table) {
    const known = availableQuantities(table);
    const names = known.join();
    if (names === this.names) return;
    this.names = names;
    const needs = NEEDS.filter(([name]) => known.includes(name)).map(([name, caption]) => {
      const [textContent, ariaLabel] = [`… ${caption}`, `I need … ${caption}`];
      const button = Object.assign(document.createElement("button"), { type: "button", textContent, ariaLabel });
      button.onclick = () => this.onNeed(name);
      return button;
    });
    const losses = LOSSES.map((points) => {
      const text = points.toFixed(1);
      return this.link({ kind: "loss", points }, text, `Without loss, within ${text} points`, LOSS_TITLE);
    });
    const presets = PRESETS.map((kind) => this.link({ kind }, kind, `Go to ${kind}`, PRESET_TITLES[kind]));
    const trained = known.includes("top1")
      ? [group("Without loss, within", losses, "points"), group("Go to", presets)]
      : [];
    this.element.replaceChildren(group("I need", needs), ...trained);
  }

  /**
   * @param {Question} question
   * @param {string} text
   * @param {string} ariaLabel the text with the words around it, which say what the link is for
   * @param {string} title
   */
  link(question, text, ariaLabel, title) {
    const address = new URL(location.href);
    address.searchParams.set("ask", questionText(question));
    const link = Object.assign(document.createElement("a"), {
      href: address.href,
      textContent: text,
      ariaLabel,
      title,
    });
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab or window opens the link
      event.preventDefault();
      this.onAsk(question);
    };
    return link;
  }
}

const LOSS_TITLE =
  "The smallest network within so many points of the original's accuracy, of those that were fine-tuned";

/**
 * @param {string} before
 * @param {HTMLElement[]} choices
 * @param {string} [after]
 */
function group(before, choices, after = "") {
  const element = document.createElement("span");
  element.append(before, ...choices, after);
  return element;
}
