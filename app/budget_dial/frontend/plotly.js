// Plotly: loaded once a page, and what it keeps of a chart that it has drawn.

/** @import { PlotlyChart, PlotlyLibrary } from "./types" */

/** @type {Promise<PlotlyLibrary> | undefined} */
let loading;

/**
 * Load Plotly once for the page. After a failure the next call tries again.
 * @param {string} address
 * @returns {Promise<PlotlyLibrary>}
 */
export function loadPlotly(address) {
  loading ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = document.createElement("script");
    script.src = new URL(address, document.baseURI).href;
    script.onload = script.onerror = () => {
      if (window.Plotly) return resolve(window.Plotly);
      loading = undefined;
      script.remove();
      reject(new Error("The charts could not be loaded: start the explorer with `legr app`, then reload the page"));
    };
    document.head.append(script);
  });
  return loading;
}

/**
 * The axes of a chart that is drawn.
 * @param {PlotlyChart} chart
 */
export function axesOf(chart) {
  if (!chart._fullLayout) throw new Error("Plotly has not drawn this chart; reload the page");
  return chart._fullLayout;
}
