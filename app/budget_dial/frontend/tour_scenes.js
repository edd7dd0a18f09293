// What a tour of a minute shows when: the budget swept, the card of a layer, and which layers go together.

/** @import { DialTable, Lens } from "./types" */
import { isOriginal, trainedTop1 } from "./quantities.js";

const LOST = 0.01; // top-1 that the network which the tour rests at may lose
const USUAL = 50; // per cent of the MACs that it rests at where no accuracy is known

/**
 * Budgets that a tour goes to, per cent of the original's MACs.
 * @typedef {{ whole: number, goal: number, less: number, low: number }} TourBudgets
 * @typedef {{ percent: number, lens: Lens, hasCard: boolean }} TourMoment
 */

/** @type {[number, keyof TourBudgets, keyof TourBudgets, Lens, boolean][]} until when, from which budget to which, what is shown */
const SCENES = [
  [3, "whole", "whole", "filters", false],
  [18, "whole", "low", "filters", false],
  [26, "low", "goal", "filters", false],
  [29, "goal", "goal", "filters", false],
  [37, "goal", "less", "filters", true],
  [44, "less", "goal", "filters", true],
  [50, "goal", "low", "together", false],
  [57, "low", "goal", "together", false],
  [60, "goal", "goal", "filters", false],
];
export const TOUR_S = SCENES[SCENES.length - 1][0];

/**
 * What is shown so many seconds after the beginning.
 * @param {number} seconds
 * @param {TourBudgets} budgets
 * @returns {TourMoment}
 */
export function momentAt(seconds, budgets) {
  const now = Math.min(Math.max(seconds, 0), TOUR_S);
  const place = SCENES.findIndex(([until]) => now <= until);
  const [until, from, to, lens, hasCard] = SCENES[place];
  const begun = place ? SCENES[place - 1][0] : 0;
  const part = (now - begun) / (until - begun);
  const eased = part * part * (3 - 2 * part);
  return { percent: budgets[from] + eased * (budgets[to] - budgets[from]), lens, hasCard };
}

/**
 * The budgets of a tour: it rests at the smallest network that is known to lose a point at most.
 * @param {DialTable} table
 * @returns {TourBudgets}
 */
export function budgetsOf(table) {
  const { percent } = table;
  const [rows, last] = [[...percent.keys()], percent.length - 1];
  const original = isOriginal(table, last) ? trainedTop1(table, last) : null;
  const known = rows.filter((row) => trainedTop1(table, row) !== null);
  const good = known.filter((row) => original !== null && Number(trainedTop1(table, row)) >= original - LOST);
  const usual = rows.filter((row) => percent[row] <= USUAL).at(-1) ?? 0;
  const goal = percent[good.length && good[0] !== last ? good[0] : usual];
  const low = Math.min(percent[known.length > 1 ? known[0] : 0], goal);
  return { whole: percent[last], goal, less: Math.max(low, goal / 2), low };
}

/**
 * The layer whose card a tour opens: of those that stay at the smaller budget, the one that loses most on the way there.
 * @param {DialTable} table
 * @param {number} row of the network that the tour rests at
 * @param {number} smaller row of that which it goes to while the card is open
 */
export function layerOfTour({ kept, totals, layers }, row, smaller) {
  const lost = (/** @type {number} */ l) => {
    if (!kept[smaller][l]) return -1;
    return (kept[row][l] - kept[smaller][l]) / totals[l] + (1 - kept[smaller][l] / totals[l]) / totals.length;
  };
  return layers[[...layers.keys()].reduce((best, l) => (lost(l) > lost(best) ? l : best), 0)] ?? "";
}
