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

/**
 * @typedef {object} QuestionHandlers
 * @property {(question: Question) => void} onAsk
 * @property {(quantity: QuantityName) => void} onNeed a limit of this quantity is to be typed
 * @property {() => void} onCompare the network on screen is to be compared on all test images
 */

export class QuestionRow {
  /**
   * @param {HTMLElement} element
   * @param {QuestionHandlers} handlers
   */
  constructor(element, handlers) {
    this.element = element;
    this.handlers = handlers;
    this.names = "";
    this.asked = ""; // the question that is marked
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
      button.onclick = () => this.handlers.onNeed(name);
      button.dataset.asks = `${name}:`;
      return button;
    });
    const losses = LOSSES.map((points) => {
      const text = points.toFixed(1);
      return this.link({ kind: "loss", points }, text, `Lose at most ${text} points`, LOSS_TITLE);
    });
    const presets = PRESETS.map((kind) => this.link({ kind }, kind, `Go to ${kind}`, PRESET_TITLES[kind]));
    const trained = known.includes("top1") ? [group("Lose at most", losses, "points"), group("Go to", presets)] : [];
    this.element.replaceChildren(group("I need", needs), ...trained, group("", [this.comparison()]));
    this.asked = "";
  }

  /**
   * Mark the question that the dial answers.
   * @param {string} asked as the address line says it; "": none
   */
  mark(asked) {
    if (asked === this.asked) return;
    this.asked = asked;
    for (const choice of this.element.querySelectorAll("[data-asks]")) {
      choice.ariaCurrent = isAskedBy(choice.getAttribute("data-asks") ?? "", asked) ? "true" : null;
    }
  }

  /** The way to the comparison of the network on screen: who is right, image by image and class by class. */
  comparison() {
    const address = () => comparisonAddress(location.href);
    const shown = { textContent: "Compare on all test images", title: COMPARISON_TITLE };
    return linkTo(address, shown, this.handlers.onCompare);
  }

  /**
   * @param {Question} question
   * @param {string} text
   * @param {string} ariaLabel the text with the words around it, which say what the link is for
   * @param {string} title
   */
  link(question, text, ariaLabel, title) {
    const address = () => {
      const asked = new URL(location.href);
      asked.searchParams.set("ask", questionText(question));
      asked.searchParams.delete("run"); // the answer is a network of the slider
      return asked.href;
    };
    const link = linkTo(address, { textContent: text, ariaLabel, title }, () => this.handlers.onAsk(question));
    link.dataset.asks = questionText(question);
    return link;
  }
}

/**
 * Whether a choice of the row asks a question.
 * @param {string} asks a question, or the beginning of those with a limit
 * @param {string} asked
 */
export function isAskedBy(asks, asked) {
  return asks.endsWith(":") ? asked.startsWith(asks) : asked === asks;
}

/**
 * The page that compares the network of an address of Explore.
 * @param {string} explore
 */
export function comparisonAddress(explore) {
  const address = new URL(explore);
  address.pathname = address.pathname.replace(/[^/]*$/, "see");
  address.searchParams.set("images", "all");
  return address.href;
}

/**
 * A link that can be opened in another tab, and is followed without loading the page anew.
 * @param {() => string} address asked for when the link is about to be used, as the page's own changes
 * @param {Partial<HTMLAnchorElement>} shown
 * @param {() => void} onFollow
 */
function linkTo(address, shown, onFollow) {
  const link = Object.assign(document.createElement("a"), shown, { href: address() });
  link.onpointerdown = link.onfocus = () => {
    link.href = address();
  };
  link.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab or window opens the link
    event.preventDefault();
    onFollow();
  };
  return link;
}

const COMPARISON_TITLE = "Which test images this network and the original, or the held one, take for what";
const LOSS_TITLE =
  "The smallest network within so many points of the original's accuracy, of those that were trained and measured";

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
