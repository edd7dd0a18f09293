// Figures as people read them. It does not know the page.

const DASH = "—";

/** A count with its unit: 125.49 M, 855.8 k. */
function count(number) {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (number >= size) return `${(number / size).toFixed(number < 100 * size ? 2 : 1)} ${unit}`;
  }
  return String(Math.round(number));
}

/** Three significant digits, zeros kept: 2.40, 14.0, 140. */
function three(value) {
  return value.toFixed(value > 0 && value < 100 ? Math.max(0, 2 - Math.floor(Math.log10(value))) : 0);
}

/** Relative difference, such as "−53.0 %"; empty where there is none. */
function change(now, before) {
  const percent = before ? 100 * (now / before - 1) : 0;
  return Math.abs(percent) < 0.05 ? "" : `${signed(percent)} %`;
}

/** Difference of two accuracies in percentage points; empty where there is none. */
function points(now, before) {
  const difference = 100 * (now - before);
  return Math.abs(difference) < 0.05 ? "" : `${signed(difference)} points`;
}

function signed(number) {
  return `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(1)}`;
}

/** An accuracy in per cent; "~" where it lies between two measured networks. */
function accuracy(value, measured) {
  return value === null ? DASH : `${measured ? "" : "~"}${(100 * value).toFixed(1)} %`;
}

/** Images that a network sees in a second; null where its latency is not known. */
function frames(table, i) {
  return table.latency[i] === null ? null : (1000 * table.batch) / table.latency[i];
}

/**
 * The ways to say a budget: caption of the switch, unit, value at a place of the table, its words, and whether more of
 * it means a larger network; of MACs, `cost` is what the network takes of the budget shown. A way without a value at any
 * place is not offered.
 */
const WAYS = {
  macs: {
    caption: "MACs",
    unit: "% of the MACs",
    at: (t, i) => t.percent[i],
    cost: (t, i) => t.macs_percent[i],
    show: (v) => v.toFixed(2),
    larger: true,
  },
  params: { caption: "Parameters", unit: "million parameters", at: (t, i) => t.params[i] / 1e6, show: three, larger: true },
  size: { caption: "Size", unit: "MB of weights", at: (t, i) => (4 * t.params[i]) / 1e6, show: three, larger: true },
  latency: { caption: "Latency", unit: "ms", at: (t, i) => t.latency[i], show: three, larger: true },
  fps: { caption: "Frames", unit: "frames a second", at: frames, show: three, larger: false },
};

/** The largest network that keeps within a limit, as a place of the table; null where none does. */
function place(table, way, limit) {
  const { at, cost = at, show, larger } = WAYS[way];
  const keeps = (value) => value !== null && (larger ? value <= limit : value >= limit);
  for (let i = table.macs.length - 1; i >= 0; i--) {
    if (keeps(cost(table, i))) return i;
  }
  const smallest = table.macs.findIndex((_, i) => at(table, i) !== null);
  return smallest >= 0 && keeps(Number(show(at(table, smallest)))) ? smallest : null; // as it is shown, it is within reach
}

/** Values at both ends of what is known: [at the smallest network, at the largest], or null. */
function reach(table, way) {
  const known = table.macs.map((_, i) => WAYS[way].at(table, i)).filter((value) => value !== null);
  return known.length ? [known[0], known[known.length - 1]] : null;
}

/** What a place of the table is compared with: costs and accuracies of one network. */
function facts(table, i) {
  const [macs, params, latency, before, after] = ["macs", "params", "latency", "before", "after"].map((name) => table[name][i]);
  return { macs, params, latency, before, after };
}

/**
 * The figures of one network beside another: caption, value, difference, whether less is better, and what else there is
 * to say.
 */
function figures(table, i, other) {
  const now = facts(table, i);
  const cost = (name) => (now[name] === null || other[name] === null ? "" : change(now[name], other[name]));
  const gain = (name) => (now[name] === null || other[name] === null ? "" : points(now[name], other[name]));
  const { latency } = now;
  return [
    ["MACs", count(now.macs), cost("macs"), true, ""],
    ["Parameters", count(now.params), cost("params"), true, `${three((4 * now.params) / 1e6)} MB`],
    [
      "Latency",
      latency === null ? DASH : `${table.latency_measured[i] ? "" : "~"}${three(latency)} ms`,
      cost("latency"),
      true,
      "",
    ],
    [
      "Frames a second",
      latency === null ? DASH : `${table.latency_measured[i] ? "" : "~"}${three(frames(table, i))}`,
      "",
      false,
      latency !== null && table.batch > 1 ? `in batches of ${table.batch}` : "",
    ],
    ["Top-1, not fine-tuned", accuracy(now.before, table.before_measured[i]), gain("before"), false, ""],
    ["Top-1, fine-tuned", accuracy(now.after, table.after_measured[i]), gain("after"), false, ""],
  ];
}
