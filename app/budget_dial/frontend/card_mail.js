// Takes the card of a layer to the dial. It is a component of its own, so that a card does not send all of the dial again.

/** @import { CardData } from "./types" */

/**
 * Keep the card for a dial that comes later, and tell the one that is there.
 * @param {{ data: { card: CardData | null } }} component
 */
export default function cardMail({ data }) {
  /** @type {any} */ (window).legrCard = data.card;
  window.dispatchEvent(new CustomEvent("legr-card"));
}
