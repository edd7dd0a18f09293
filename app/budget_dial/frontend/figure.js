// A chart that Python has made whole, drawn by the Plotly that the dial uses too, in the theme's colours.

/** @import { MountedFigure } from "./types" */
import { find } from "./dom.js";
import { isNarrow, layoutFor } from "./narrow.js";
import { loadPlotly } from "./plotly.js";
import { loadStyles } from "./styles.js";

/** @type {WeakMap<Element, { figure: string, narrow: boolean }>} what each chart shows */
const drawn = new WeakMap();

await loadStyles();

/**
 * Where Streamlit enters: it calls this when a chart comes to a page, and again for new data.
 * @param {{ data: MountedFigure, parentElement: ParentNode }} component
 * @returns {() => void} gives back what Plotly and the browser hold, once the chart is gone
 */
export default function figure({ data, parentElement }) {
  const chart = find(parentElement, ".bd-figure", HTMLElement);
  chart.ariaLabel = data.alt;
  if (drawn.get(chart)?.figure !== data.figure) draw(chart, data);
  const sizes = new ResizeObserver(() => {
    if (!chart.clientWidth || !("_fullLayout" in chart)) return;
    if (drawn.get(chart)?.narrow !== isNarrow(chart.clientWidth)) draw(chart, data);
    else window.Plotly?.Plots.resize(chart);
  });
  sizes.observe(chart);
  return () => {
    sizes.disconnect();
    setTimeout(() => {
      if (!chart.isConnected) window.Plotly?.purge(chart);
    });
  };
}

/**
 * @param {HTMLElement} chart
 * @param {MountedFigure} mounted
 */
async function draw(chart, { figure, config, plotly }) {
  drawn.set(chart, { figure, narrow: isNarrow(chart.clientWidth) });
  const { data, layout: whole, frames } = JSON.parse(figure);
  const layout = layoutFor(whole, chart.clientWidth);
  chart.style.minHeight = `${layout.height}px`; // so that nothing moves when it comes
  chart.role = frames?.length ? "group" : "img"; // one that can be played has buttons
  const Plotly = await loadPlotly(plotly);
  await Plotly.react(chart, { data, layout, config, frames: frames ?? [] }); // only so are frames of before dropped
}
