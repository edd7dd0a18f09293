// What a chart of the frontier shows of its points: which of them, where, and which lie near each other. Nothing here
// touches the page.

/** @import { DialTable, FrontierData, FrontierLine, FrontierOptions, FrontierRanges, Place } from "./types" */
import { clamp } from "./dom.js";

const LETTER_PX = 7; // width of an axis title's letter
const TOGETHER = "trained together"; // a kind of line
const LEAST_ERROR = 0.01; // per cent; a logarithmic axis has no zero

/**
 * Costs of all networks, in the unit of an axis.
 * @param {FrontierData} frontier
 * @param {string} axis
 * @returns {(number | null)[]}
 */
export function costsOf({ networks }, axis) {
  if (axis === "latency") return networks.latency;
  return axis === "macs" ? networks.macs : networks.params;
}

/**
 * Cost of a point; null where it has none.
 * @param {FrontierData} frontier
 * @param {number} point
 * @param {string} axis
 */
export function costOf(frontier, point, axis) {
  return costsOf(frontier, axis)[frontier.points.network[point]];
}

/**
 * Where an accuracy stands on the vertical axis: itself, or the error on a logarithmic one.
 * @param {number} percent
 * @param {boolean} isError
 */
export function heightOf(percent, isError) {
  return isError ? Math.max(LEAST_ERROR, 100 - percent) : percent;
}

/**
 * The lines that are shown; those of the chosen ranking lie above others, and what is of no ranking above all.
 * @param {FrontierData} frontier
 * @param {string} ranking
 * @param {string[]} others rankings shown beside it
 * @returns {FrontierLine[]}
 */
export function shownLines({ lines }, ranking, others) {
  const shown = lines.filter((line) => !line.ranking || line.ranking === ranking || others.includes(line.ranking));
  const height = (/** @type {FrontierLine} */ line) => (line.ranking ? Number(line.ranking === ranking) : 2);
  return [...shown].sort((a, b) => height(a) - height(b));
}

/**
 * The points of lines, each once.
 * @param {FrontierLine[]} lines
 */
export function pointsOf(lines) {
  return [...new Set(lines.flatMap(({ rows }) => rows))];
}

/**
 * The title of an axis; the conditions in its brackets go to a second line where one is too long.
 * @param {string} title
 * @param {number} width pixels
 */
export function titleWithin(title, width) {
  return LETTER_PX * title.length > width ? title.replace(" (", "<br>(") : title;
}

/**
 * How far networks between the points of a line may lie from it, as a pale band along the line; null where that is not
 * known.
 * @param {FrontierData} frontier
 * @param {FrontierLine} line
 * @param {Pick<DialTable, "together_off">} table of a ranking
 * @param {string} ranking that it is of
 * @param {{ [name: string]: string }} colours
 * @param {FrontierOptions} options
 */
export function bandTrace(frontier, line, { together_off: off }, ranking, colours, { axis, error }) {
  if (!off || line.kind !== TOGETHER || line.ranking !== ranking) return null;
  const rows = line.rows.filter((row) => costOf(frontier, row, axis) !== null);
  const there = rows.map((row) => costOf(frontier, row, axis));
  const edge = (/** @type {number} */ by) =>
    rows.map((row) => heightOf(clamp(0, frontier.points.top1[row] + 100 * by, 100), error));
  return {
    x: [...there, ...there.toReversed()],
    y: [...edge(off.most), ...edge(-off.most).toReversed()],
    name: `${line.name}, between its points`,
    uid: `band${frontier.lines.indexOf(line)}`,
    hoverinfo: "skip",
    mode: "lines",
    line: { width: 0 },
    fill: "toself",
    fillcolor: colours[ranking],
    opacity: 0.18,
  };
}

/**
 * The part of the frontier that is shown.
 * @param {FrontierData} frontier
 * @param {FrontierOptions} options
 * @returns {FrontierRanges}
 */
export function rangesOf(frontier, options) {
  return options.whole ? frontier.whole : frontier.fit;
}

/**
 * The points that no other beats in both cost and accuracy, by rising cost.
 * @param {FrontierData} frontier
 * @param {number[]} points
 * @param {string} axis
 */
export function paretoPoints(frontier, points, axis) {
  const { top1 } = frontier.points;
  const rows = points.flatMap((point) => {
    const cost = costOf(frontier, point, axis);
    return cost === null ? [] : [{ point, cost }];
  });
  rows.sort((a, b) => a.cost - b.cost || top1[b.point] - top1[a.point]);
  let best = -1;
  return rows.filter(({ point }) => top1[point] > best && ((best = top1[point]), true)).map(({ point }) => point);
}

/**
 * The places within a distance of a spot, the nearest first.
 * @param {Place[]} places
 * @param {number} x pixels
 * @param {number} y
 * @param {number} radius
 */
export function nearby(places, x, y, radius) {
  const measured = places.map((place) => ({ place, distance: Math.hypot(place.x - x, place.y - y) }));
  const near = measured.filter(({ distance }) => distance <= radius);
  return near.sort((a, b) => a.distance - b.distance).map(({ place }) => place);
}

/**
 * The places in a rectangle, of which two opposite corners are given.
 * @param {Place[]} places
 * @param {[number, number]} corner
 * @param {[number, number]} opposite
 */
export function placesWithin(places, corner, opposite) {
  const isBetween = (/** @type {number} */ value, /** @type {number} */ a, /** @type {number} */ b) =>
    Math.min(a, b) <= value && value <= Math.max(a, b);
  return places.filter(({ x, y }) => isBetween(x, corner[0], opposite[0]) && isBetween(y, corner[1], opposite[1]));
}

/**
 * The network that a key leads to from the one that is told of: along the cost, at one cost upwards.
 * @param {Place[]} places
 * @param {Place | null} from null: none is told of yet
 * @param {string} key ArrowRight, ArrowLeft, Home or End
 * @returns {Place | null} null: no network is shown
 */
export function placeByKey(places, from, key) {
  const networks = places.filter(({ network }) => network !== null).sort((a, b) => a.x - b.x || b.y - a.y);
  const last = networks.length - 1;
  const here = networks.findIndex(({ told }) => told === from?.told);
  if (key === "Home" || (key === "ArrowRight" && here < 0)) return networks[0] ?? null;
  if (key === "End" || here < 0) return networks[last] ?? null;
  return networks[clamp(0, here + (key === "ArrowRight" ? 1 : -1), last)];
}
