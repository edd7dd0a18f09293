// What a lane is, in words and numbers: layers whose filters leave together, and the layers that read their channels.

/** @import { Cell, DialTable, Lane, LanesData, Section } from "./types" */

const LISTED_NAMES = 6; // in a sentence
const [NAME_PIXELS, CHARACTER_PIXELS] = [4, 6]; // around a name, and of a character of 11 pixels' size

/**
 * The lanes of the map, each with the indices of its layers.
 * @param {DialTable} table
 * @param {LanesData} map
 * @returns {Lane[]}
 */
export function lanesOf(table, map) {
  const indices = new Map(table.layers.map((name, l) => [name, l]));
  return map.lanes.map((lane) => {
    const columns = [...lane.writers, ...lane.readers];
    const layers = lane.fixed ? [] : lane.writers.map((column) => indices.get(map.columns[column]) ?? -1);
    return { ...lane, layers, first: Math.min(...columns), last: Math.max(...columns) };
  });
}

/**
 * Filters of all layers of a lane: kept by a network, and of the original.
 * @param {DialTable} table
 * @param {Lane} lane
 * @param {number} row
 * @returns {[number, number]}
 */
function filtersOf(table, lane, row) {
  const sum = (/** @type {Float64Array} */ counts) => lane.layers.reduce((total, l) => total + counts[l], 0);
  return [sum(table.kept[row]), sum(table.totals)];
}

/**
 * A lane without the layers that have left with their blocks.
 * @param {DialTable} table
 * @param {Lane} lane
 * @param {number} row
 * @returns {Lane}
 */
function standing(table, lane, row) {
  return { ...lane, layers: lane.layers.filter((l) => table.kept[row][l] > 0) };
}

/**
 * The part of a lane's filters that is kept, in [0, 1]; of layers that have left with their blocks none is.
 * @param {DialTable} table
 * @param {Lane} lane
 * @param {number} row
 */
export function keptShare(table, lane, row) {
  const [kept, total] = filtersOf(table, standing(table, lane, row), row);
  return total ? kept / total : 0;
}

/**
 * Such as "9 of 16 filters in each (56 %)"; of all layers together where they differ.
 * @param {DialTable} table
 * @param {Lane} lane
 * @param {number} row
 */
export function keptWords(table, lane, row) {
  const there = standing(table, lane, row);
  const [kept, total] = filtersOf(table, there, row);
  const n = there.layers.length;
  if (!n) return "none, removed with the whole block";
  const gone = lane.layers.length - n;
  const rest = gone ? `; ${gone} layer${gone > 1 ? "s" : ""} removed with whole blocks` : "";
  const percent = `(${Math.round((100 * kept) / total)} %)${rest}`;
  const alike = there.layers.every((l) => n * table.kept[row][l] === kept && n * table.totals[l] === total);
  if (!alike) return `${kept} of ${total} filters in all ${percent}`;
  return `${kept / n} of ${total / n} filters${n > 1 ? " in each" : ""} ${percent}`;
}

/**
 * Names with commas between; of many, the first.
 * @param {string[]} names
 */
export function listNames(names) {
  const more = names.length - LISTED_NAMES;
  return more > 1 ? `${names.slice(0, LISTED_NAMES).join(", ")} and ${more} more` : names.join(", ");
}

/**
 * A description of a lane, a sentence a line, the most important first.
 * @param {DialTable} table
 * @param {LanesData} map
 * @param {Lane} lane
 * @param {number} row
 * @param {number | null} comparedRow
 */
export function laneLines(table, map, lane, row, comparedRow) {
  const writers = lane.writers.map((column) => map.columns[column]);
  if (lane.fixed) return [writers[0], "All its filters stay: it cannot be cut."];
  const readers = readersOf(map, lane);
  const alone = writers.length === 1;
  return [
    alone ? writers[0] : `${writers.length} layers whose filters leave together`,
    `Kept: ${keptWords(table, lane, row)}`,
    ...(comparedRow === null ? [] : [`Compared: ${keptWords(table, lane, comparedRow)}`]),
    ...(alone ? [] : [`Layers: ${listNames(writers)}`]),
    ...(readers.length ? [`Read by: ${listNames(readers)}`] : []),
  ];
}

/**
 * @param {LanesData} map
 * @param {Lane} lane
 */
function readersOf(map, lane) {
  return [...lane.readers.map((column) => map.columns[column]), ...lane.shortcuts];
}

/**
 * The whole map in a few sentences, for those who cannot see it.
 * @param {DialTable} table
 * @param {Lane[]} lanes
 * @param {number} row
 */
export function mapLabel(table, lanes, row) {
  const prunable = lanes.filter((lane) => !lane.fixed);
  const several = prunable.filter((lane) => lane.layers.length > 1).length;
  const fixed = lanes.length - prunable.length;
  const plural = (/** @type {number} */ n) => (n === 1 ? "" : "s");
  const sum = (/** @type {Float64Array} */ counts) => counts.reduce((total, n) => total + n, 0);
  return (
    `${prunable.length} lane${plural(prunable.length)} of layers whose filters leave together, ${several} of them of several layers. ` +
    `${sum(table.kept[row])} of ${sum(table.totals)} filters are kept. ` +
    `${fixed} layer${plural(fixed)} cannot be cut.`
  );
}

/**
 * Every lane that can be pruned, as the rows of a file.
 * @param {DialTable} table
 * @param {LanesData} map
 * @param {number} row
 * @returns {Cell[][]}
 */
export function laneRows(table, map, row) {
  const prunable = lanesOf(table, map).filter((lane) => !lane.fixed);
  const rows = prunable.map((lane) => {
    const writers = lane.writers.map((column) => map.columns[column]);
    return [writers.join(" "), ...filtersOf(table, lane, row), readersOf(map, lane).join(" ")];
  });
  return [["layers", "kept", "total", "read_by"], ...rows];
}

/**
 * Group neighbouring columns under the names that they begin with, such as all of "layer1.0".
 *
 * The groups are as fine as possible while most of their names still find room below them.
 * @param {string[]} columns
 * @param {number} pitch pixels of a column
 */
export function sectionsOf(columns, pitch) {
  const paths = withoutCommonTop(columns.map((name) => name.split(".")));
  /** @type {Section[]} */
  let best = [];
  const deepest = Math.max(...paths.map((path) => path.length));
  for (let depth = 1; depth <= deepest; depth++) {
    const sections = sectionsAt(paths, depth);
    const named = sections.filter(({ name, length }) => fits(name, length * pitch));
    const namedColumns = named.reduce((sum, { length }) => sum + length, 0);
    if (!best.length || (sections.length > best.length && namedColumns > 0.7 * columns.length)) best = sections;
  }
  return best;
}

/**
 * Names without their first part, where nearly all have the same ("model.…").
 * @param {string[][]} paths
 */
function withoutCommonTop(paths) {
  const top = paths[0][0];
  if (paths.filter((path) => path[0] === top).length <= 0.8 * paths.length) return paths;
  return paths.map((path) => (path[0] === top && path.length > 1 ? path.slice(1) : path));
}

/**
 * Runs of columns whose names begin with the same parts.
 * @param {string[][]} paths
 * @param {number} depth how many parts count
 */
function sectionsAt(paths, depth) {
  /** @type {Section[]} */
  const sections = [];
  paths.forEach((path, column) => {
    const name = path.slice(0, depth).join(".");
    const last = sections.at(-1);
    if (last?.name === name) last.length++;
    else sections.push({ first: column, length: 1, name });
  });
  return sections;
}

/**
 * Whether a name can be written in so many pixels.
 * @param {string} name
 * @param {number} pixels
 */
export function fits(name, pixels) {
  return CHARACTER_PIXELS * name.length + NAME_PIXELS <= pixels;
}
