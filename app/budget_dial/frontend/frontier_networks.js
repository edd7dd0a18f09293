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

/** @type {NetworkColumn[]} */
export const NETWORK_COLUMNS = [
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
  number(
    "budget",
    "Budget",
    (networks) => networks.percent,
    (value) => `${value.toFixed(1)} %`,
    () => "",
  ),
  number(
    "macs",
    "MACs",
    (networks) => networks.macs,
    (value) => formatCount(1e6 * value),
    percentChange,
  ),
  number(
    "params",
    "Parameters",
    (networks) => networks.params,
    (value) => formatCount(1e3 * value),
    percentChange,
  ),
  number(
    "latency",
    "Latency",
    (networks) => networks.latency,
    (value) => `${threeDigits(value)} ms`,
    percentChange,
  ),
  accuracy("before", "Top-1 as cut"),
  accuracy("after", "Top-1 trained"),
];

/**
 * @param {string} name
 * @param {string} caption
 * @param {(networks: FrontierData["networks"]) => (number | null)[]} values
 * @param {(value: number) => string} show
 * @param {(now: number | null, before: number | null) => string} difference
 * @returns {NetworkColumn}
 */
function number(name, caption, values, show, difference) {
  return {
    name,
    caption,
    value: ({ networks }, n) => values(networks)[n],
    show: (value, { networks }, n) => {
      const about = name === "latency" && !networks.latency_measured[n] ? "~" : "";
      return typeof value === "number" ? about + show(value) : DASH;
    },
    difference: (frontier, n) => {
      const original = originalOf(frontier);
      return original < 0 ? "" : difference(values(frontier.networks)[n], values(frontier.networks)[original]);
    },
  };
}

/**
 * @param {"before" | "after"} name
 * @param {string} caption
 * @returns {NetworkColumn}
 */
function accuracy(name, caption) {
  return {
    name,
    caption,
    value: ({ networks }, n) => networks[name][n],
    show: (value) => (typeof value === "number" ? `${value.toFixed(2)} %` : DASH),
    difference: (frontier, n) => {
      const { networks } = frontier;
      const [now, whole] = [networks[name][n], networks.before[originalOf(frontier)] ?? null];
      return pointsChange(now === null ? null : now / 100, whole === null ? null : whole / 100);
    },
  };
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
