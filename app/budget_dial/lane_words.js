// What a lane is, in words and numbers: layers whose filters leave together. It does not know how lanes are drawn.
// A lane, as `lanesOf` gives it: row, writers, readers (columns), shortcuts (names), fixed, and layers: the writers' places
// in the table of the dial.

const NAMED = 6; // names in a sentence

/** The lanes that Python found, each with the places of its layers in the table. */
function lanesOf(table) {
  const places = new Map(table.layers.map((name, l) => [name, l]));
  const { columns, lanes } = table.lanes;
  return lanes.map((lane) => {
    const ends = [...lane.writers, ...lane.readers];
    const layers = lane.fixed ? [] : lane.writers.map((column) => places.get(columns[column]));
    return { ...lane, layers, first: Math.min(...ends), last: Math.max(...ends) };
  });
}

/** Filters of all layers of a lane: kept at a place of the table, and before. */
function filtersOf(table, lane, i) {
  const sum = (row) => lane.layers.reduce((all, l) => all + row[l], 0);
  return [sum(table.kept[i]), sum(table.totals)];
}

/** The share of a lane's filters that is kept, in [0, 1]. */
function shareOf(table, lane, i) {
  const [kept, total] = filtersOf(table, lane, i);
  return kept / total;
}

/** Such as "9 of 16 filters in each (56 %)"; of all together where layers differ. */
function keptWords(table, lane, i) {
  const [kept, total] = filtersOf(table, lane, i);
  const n = lane.layers.length;
  const alike = lane.layers.every((l) => n * table.kept[i][l] === kept && n * table.totals[l] === total);
  const [now, before, where] = alike ? [kept / n, total / n, n > 1 ? " in each" : ""] : [kept, total, " in all"];
  return `${now} of ${before} filters${where} (${Math.round((100 * kept) / total)} %)`;
}

function listed(names) {
  const more = names.length - NAMED;
  return more > 1 ? `${names.slice(0, NAMED).join(", ")} and ${more} more` : names.join(", ");
}

/** What there is to say of a lane, a sentence a line, the most important first; `other`: a place to compare with, or null. */
function laneLines(table, lane, i, other) {
  const names = (columns) => columns.map((column) => table.lanes.columns[column]);
  const writers = names(lane.writers);
  if (lane.fixed) return [writers[0], "All its filters stay: it cannot be cut."];
  const readers = [...names(lane.readers), ...lane.shortcuts];
  const alone = writers.length === 1;
  return [
    alone ? writers[0] : `${writers.length} layers whose filters leave together`,
    `Kept: ${keptWords(table, lane, i)}`,
    ...(other === null ? [] : [`Compared: ${keptWords(table, lane, other)}`]),
    ...(alone ? [] : [`Layers: ${listed(writers)}`]),
    ...(readers.length ? [`Read by: ${listed(readers)}`] : []),
  ];
}

/** The whole drawing in a sentence. */
function lanesLabel(table, lanes, i) {
  const free = lanes.filter((lane) => !lane.fixed);
  const several = free.filter((lane) => lane.layers.length > 1).length;
  const fixed = lanes.length - free.length;
  const [kept, total] = [table.kept[i], table.totals].map((row) => row.reduce((sum, n) => sum + n, 0));
  return (
    `${free.length} lanes of layers whose filters leave together, ${several} of them of several layers. ` +
    `${kept} of ${total} filters are kept. ${fixed} layer${fixed === 1 ? "" : "s"} cannot be cut.`
  );
}

/** Every lane at a place of the table, as a file has it. */
function laneRows(table, i) {
  const names = (columns) => columns.map((column) => table.lanes.columns[column]);
  const rows = lanesOf(table).filter((lane) => !lane.fixed).map((lane) => {
    const readers = [...names(lane.readers), ...lane.shortcuts];
    return [names(lane.writers).join(" "), ...filtersOf(table, lane, i), readers.join(" ")];
  });
  return [["layers", "kept", "total", "read_by"], ...rows];
}

/**
 * Runs of layers that stand under one name, as deep in the names as there is room to write most of them: [first column,
 * columns, name], ...
 */
function sections(columns, pitch) {
  let paths = columns.map((name) => name.split("."));
  const shared = paths.filter(([top]) => top === paths[0][0]).length;
  if (shared > 0.8 * paths.length) paths = paths.map((path) => (path[0] === paths[0][0] && path.length > 1 ? path.slice(1) : path));
  let best = [];
  for (let depth = 1; depth <= Math.max(...paths.map((path) => path.length)); depth++) {
    const runs = [];
    paths.forEach((path, column) => {
      const name = path.slice(0, depth).join(".");
      if (runs.at(-1)?.[2] === name) runs.at(-1)[1]++;
      else runs.push([column, 1, name]);
    });
    const named = runs.reduce((sum, [, length, name]) => sum + (fits(name, length * pitch) ? length : 0), 0);
    if (!best.length || (runs.length > best.length && named > 0.7 * columns.length)) best = runs;
  }
  return best;
}

/** Whether a name of 11 pixels' size can be written in so many pixels. */
function fits(name, pixels) {
  return 6 * name.length + 4 <= pixels;
}
