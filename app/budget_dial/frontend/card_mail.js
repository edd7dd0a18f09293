// Takes the card of a layer to the dial. It is a component of its own, so that a card does not send all of the dial again.

/** @import { CardData, CostsData } from "./types" */

/**
 * Keep the card, or the costs of other numbers of filters, for a dial that comes later, and tell the one that is there.
 * @param {{ data: { card?: CardData | null, costs?: CostsData | null } }} component
 */
export default function cardMail({ data }) {
  if (data.card !== undefined) /** @type {any} */ (window).legrCard = data.card;
  if (data.costs !== undefined) /** @type {any} */ (window).legrCosts = data.costs;
  window.dispatchEvent(new CustomEvent("legr-card"));
}
