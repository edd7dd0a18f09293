// The axis below the bars of all layers: the stages of the network, as the names of its layers tell them.

import { fits, sectionsOf } from "./lane_words.js";
import { escapeTags } from "./text.js";

/**
 * Names of the stages in the middle of their layers, and lines between them, for bars that stand at 0, 1, 2 and so on.
 * @param {string[]} layers names, in order of execution
 * @param {number} width of all bars, pixels
 */
export function stageAxis(layers, width) {
  const pitch = width / layers.length;
  const sections = sectionsOf(layers, pitch);
  const named = sections.filter(({ name, length }) => fits(name, length * pitch));
  const line = { type: "line", xref: "x", yref: "paper", y0: 0, y1: -0.035, line: { width: 1, color: "#8a929e" } };
  return {
    axis: {
      tickmode: "array",
      tickvals: named.map(({ first, length }) => first + (length - 1) / 2),
      ticktext: named.map(({ name }) => escapeTags(name)),
      tickangle: 0,
    },
    shapes: sections.slice(1).map(({ first }) => ({ ...line, x0: first - 0.5, x1: first - 0.5 })),
  };
}
