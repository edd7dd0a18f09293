// Draws the charts of a report with Plotly, in the colours of the reader's theme; on paper in those of the light one.
"use strict";
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const charts = [...document.querySelectorAll(".chart")];
  const family = getComputedStyle(document.body).fontFamily;
  const paper = { width: 700, height: 290 }; // pixels: an A4 page within its margins has 703; the charts are less high
  const nameWidth = 11; // of a name that stands upright below the axis

  /**
   * @param {boolean} isDark
   * @param {{ width: number, height: number }} [most]
   */
  function draw(isDark, most) {
    const [ink, line] = isDark ? ["#e8ecf2", "#333c49"] : ["#1c2430", "#dfe4ea"];
    for (const chart of charts) {
      const { data, layout } = JSON.parse(document.getElementById(chart.dataset.of).textContent);
      const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
      for (const axis of axes) Object.assign(layout[axis], { gridcolor: line, linecolor: line, zerolinecolor: line });
      const size = { width: most?.width ?? chart.clientWidth, height: layout.height };
      if (most && !layout.yaxis.ticktext) size.height = Math.min(most.height, layout.height); // rows keep their height
      thin(layout.xaxis, size.width);
      const clear = "rgba(0, 0, 0, 0)";
      const look = { font: { family, size: 12, color: ink }, paper_bgcolor: clear, plot_bgcolor: clear };
      chart.style.height = `${size.height}px`;
      Plotly.react(chart, data, { ...layout, ...look, ...size, autosize: false }, { displayModeBar: false });
    }
  }

  /**
   * Leave out names that would run into each other.
   * @param {{ tickvals?: number[], ticktext?: string[] }} axis
   * @param {number} width
   */
  function thin(axis, width) {
    if (!axis.tickvals || !axis.ticktext) return;
    const every = Math.ceil((axis.tickvals.length * nameWidth) / (width - 50));
    const kept = (/** @type {any[]} */ list) => list.filter((_, n) => n % every === 0);
    Object.assign(axis, { tickvals: kept(axis.tickvals), ticktext: kept(axis.ticktext) });
  }

  const onScreen = () => draw(dark.matches);
  onScreen();
  dark.addEventListener("change", onScreen);
  window.addEventListener("resize", onScreen);
  window.addEventListener("beforeprint", () => draw(false, paper));
  window.addEventListener("afterprint", onScreen);
})();
