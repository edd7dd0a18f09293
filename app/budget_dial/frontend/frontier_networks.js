// The networks of the frontier as rows of a table: what stands in each column, and their order.

/** @import { FrontierData, NetworkColumn } from "./types" */
import { DASH, formatCount, percentChange, pointsChange, threeDigits } from "./numbers.js";

/**
 * The original's place among the networks; -1: it was not measured.
 * @param {FrontierData} frontier
 */
export function originalOf({ networks }) {
  return networks.ranking.indexOf("original");
}

/** @typedef {(networks: FrontierData["networks"]) => (number | null)[]} ValuesOf */

/**
 * The columns that have something to say of a frontier.
 * @param {FrontierData} frontier
 */
export function columnsOf({ networks }) {
  const isShared = networks.together.some((top1) => top1 !== null);
  const hasSizes = new Set(networks.height).size > 1;
  return NETWORK_COLUMNS.filter(({ name }) => (name !== "together" || isShared) && (name !== "height" || hasSizes));
}

/** @type {NetworkColumn[]} */
const NETWORK_COLUMNS = [
  {
    name: "ranking",
    caption: "Ranking",
    value: ({ networks, rankings }, n) => {
      const caption = rankings.find(([name]) => name === networks.ranking[n])?.[1] ?? "Original";
      const isOfToday = networks.opens[n] || networks.ranking[n] === "original";
      return isOfToday ? caption : `${caption}, not today's`;
    },
    show: (value) => String(value),
  },
  figure("budget", "Budget", of("percent"), (value) => `${value.toFixed(1)} %`),
  figure("height", "Image height", of("height"), (value) => `${value} px`),
  figure("macs", "MACs", of("macs"), (value) => formatCount(1e6 * value), percentChange),
  figure("params", "Parameters", of("params"), (value) => formatCount(1e3 * value), percentChange),
  figure("latency", "Latency", of("latency"), (value) => `${threeDigits(value)} ms`, percentChange),
  figure("before", "Top-1 as cut", of("before"), twoDigits, percentPoints, of("before")),
  figure("together", "Top-1 trained together", of("together"), twoDigits, percentPoints, of("before")),
  figure("after", "Top-1 trained", of("after"), twoDigits, percentPoints, of("before")),
];

/**
 * A column of numbers.
 * @param {string} name
 * @param {string} caption
 * @param {ValuesOf} values
 * @param {(value: number) => string} show
 * @param {(now: number | null, before: number | null) => string} [difference] to the original
 * @param {ValuesOf} [whole] the values among which the original's is
 * @returns {NetworkColumn}
 */
function figure(name, caption, values, show, difference = () => "", whole = values) {
  return {
    name,
    caption,
    value: ({ networks }, n) => values(networks)[n],
    show: (value, { networks }, n) => {
      const about = name === "latency" && !networks.latency_measured[n] ? "~" : "";
      return typeof value === "number" ? about + show(value) : DASH; // "~": predicted, or between two measured networks
    },
    difference: (frontier, n) => {
      const { networks } = frontier;
      return difference(values(networks)[n], whole(networks)[originalOf(frontier)] ?? null);
    },
  };
}

/**
 * @param {"percent" | "height" | "macs" | "params" | "latency" | "before" | "together" | "after"} name
 * @returns {ValuesOf}
 */
function of(name) {
  return (networks) => networks[name];
}

/** @param {number} percent */
function twoDigits(percent) {
  return `${percent.toFixed(2)} %`;
}

/**
 * @param {number | null} now per cent
 * @param {number | null} before
 */
function percentPoints(now, before) {
  return pointsChange(now === null ? null : now / 100, before === null ? null : before / 100);
}

/**
 * Networks in the order of a column; those without a value come last, whatever the direction.
 * @param {FrontierData} frontier
 * @param {number[]} networks
 * @param {string} column name
 * @param {boolean} isDescending
 */
export function sortedNetworks(frontier, networks, column, isDescending) {
  const found = NETWORK_COLUMNS.find(({ name }) => name === column) ?? NETWORK_COLUMNS[0];
  const sign = isDescending ? -1 : 1;
  return [...networks].sort((a, b) => {
    const [left, right] = [found.value(frontier, a), found.value(frontier, b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return (
      sign *
      (typeof left === "number" && typeof right === "number"
        ? left - right
        : String(left) < String(right)
          ? -1
          : String(left) > String(right)
            ? 1
            : 0)
    );
  });
}
