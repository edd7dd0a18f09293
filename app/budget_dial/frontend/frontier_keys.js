// The keyboard on the frontier: keys go from network to network, as the pointer does, and Enter opens the one told of.

/** @import { Place } from "./types" */
/** @import { FrontierPointer } from "./frontier_pointer.js" */
import { placeByKey } from "./frontier_points.js";

const KEYS = ["ArrowRight", "ArrowLeft", "Home", "End", "Escape"];
const MARK_PX = 9; // from a point to the frame around it

export class FrontierKeys {
  /** @param {FrontierPointer} pointer whose box tells of the network */
  constructor(pointer) {
    this.pointer = pointer;
    /** @type {Place | null} */
    this.place = null;
    const { chart } = pointer;
    chart.tabIndex = 0;
    chart.setAttribute("role", "application");
    chart.addEventListener("keydown", (event) => this.take(event));
    chart.addEventListener("blur", () => this.choose(null));
  }

  /** @param {KeyboardEvent} event */
  take(event) {
    const { handlers } = this.pointer;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" && this.place && this.place.network !== null) handlers.onOpen(this.place.network);
    if (!KEYS.includes(event.key)) return;
    event.preventDefault();
    this.choose(event.key === "Escape" ? null : placeByKey(handlers.places(), this.place, event.key));
  }

  /**
   * Tell of a network, with a frame around its point; null: of none.
   * @param {Place | null} place
   */
  choose(place) {
    const hadOne = this.place !== null;
    this.place = place;
    if (place) {
      const { x, y, told } = place;
      this.pointer.tell(x, y, [told]);
      this.pointer.handlers.onMeet(place.network === null ? [] : [place.network]);
      this.pointer.showRegion([x - MARK_PX, y - MARK_PX], [x + MARK_PX, y + MARK_PX]);
    } else if (hadOne) {
      this.pointer.leave();
      this.pointer.hideRegion();
    }
  }
}
