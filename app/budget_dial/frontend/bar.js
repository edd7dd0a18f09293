// The bar above the dial: the study's name, and what is chosen rarely.

/** @import { ControlsHandlers } from "./controls.js" */
/** @import { DialState, QuantityName } from "./types" */
import { fillMenu, fillSwitch, find, setText } from "./dom.js";
import { QUANTITIES, availableQuantities } from "./quantities.js";
import { shownNetwork } from "./shown.js";

export class Bar {
  /**
   * @param {HTMLElement} root
   * @param {DialState} state
   * @param {ControlsHandlers} handlers
   */
  constructor(root, state, handlers) {
    this.state = state;
    this.handlers = handlers;
    this.name = find(root, ".bd-name", HTMLElement);
    this.facts = find(root, ".bd-facts", HTMLElement);
    this.rankingLabel = find(root, ".bd-ranking", HTMLElement);
    this.ranking = find(root, ".bd-ranking select", HTMLSelectElement);
    this.size = find(root, ".bd-size", HTMLElement);
    this.quantities = find(root, ".bd-by select", HTMLSelectElement);
    this.bound = find(root, ".bd-bound", HTMLElement);
    this.entry = find(root, ".bd-entry input", HTMLInputElement);
    this.unit = find(root, ".bd-unit", HTMLElement);
    this.compare = find(root, ".bd-compare", HTMLButtonElement);
    this.isTyping = false;
    this.entry.oninput = () => (this.isTyping = true);
    this.entry.onblur = () => (this.isTyping = false);
    this.entry.onchange = () => {
      this.isTyping = false;
      const limit = this.entry.valueAsNumber;
      if (Number.isFinite(limit)) handlers.onAsk({ kind: "need", quantity: state.quantity, limit });
      else this.update();
    };
    this.compare.onclick = () => handlers.onCompare();
    this.ranking.onchange = () => handlers.onChoice({ ranking: this.ranking.value });
    this.quantities.onchange = () => handlers.onQuantity(/** @type {QuantityName} */ (this.quantities.value));
    this.name.onkeydown = (event) => {
      if (event.key === "Escape") this.name.blur();
    };
  }

  /** Take over new data. */
  show() {
    const { data, quantity } = this.state;
    setText(find(this.name, "span", HTMLElement), data.title);
    setText(this.facts, data.facts.join("\n"));
    this.rankingLabel.hidden = data.rankings.length < 2;
    fillMenu(this.ranking, data.rankings, data.ranking);
    this.size.hidden = data.sizes.length < 2;
    const sizes = data.sizes.map((size) => /** @type {[string, string]} */ ([String(size), `${size} px`]));
    fillSwitch(this.size, "size", sizes, String(data.size), (size) => this.handlers.onChoice({ size: Number(size) }));
    const names = availableQuantities(data.table);
    fillMenu(
      this.quantities,
      names.map((name) => [name, QUANTITIES[name].caption]),
      quantity,
    );
  }

  /** Show the limit of the network on screen, or the one that was typed. */
  update() {
    const { data, quantity, comparedPercent, opened, typed, answer } = this.state;
    const { at, show, unit, bound } = QUANTITIES[quantity];
    const shown = shownNetwork(this.state);
    setText(this.bound, bound);
    setText(this.unit, unit(data.table));
    const value = at(shown.table, shown.row);
    if (!this.isTyping) this.entry.value = typed ?? (value === null ? "" : show(value));
    this.entry.ariaInvalid = String(typed !== null && answer?.row === null);
    setText(this.compare, comparedPercent === null ? "Hold" : `Held: ${comparedPercent.toFixed(2)} % — release`);
    this.compare.title =
      comparedPercent === null ? "Compare every other network with this one" : "Compare with the original";
    this.compare.disabled = Boolean(opened) && comparedPercent === null; // its budget leads to another network
  }

  /** Let the user type a limit. */
  askForLimit() {
    this.entry.focus();
    this.entry.select();
  }
}
