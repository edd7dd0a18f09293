// The two charts. Plotly draws them when they settle; in between only the marks that move are set, in its own drawing.
// It does not know the slider.

let plotly; // the one copy of the page

/** Load Plotly once; what failed is tried again the next time. */
function loadPlotly(path) {
  plotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = document.createElement("script");
    const end = () => {
      if (window.Plotly) return resolve(window.Plotly);
      plotly = undefined;
      script.remove();
      reject(new Error("The charts could not be loaded from this server; reload the page"));
    };
    script.src = new URL(path, document.baseURI).href;
    script.onload = script.onerror = end;
    document.head.append(script);
  });
  return plotly;
}

const PLAIN = { displayModeBar: false, scrollZoom: false, responsive: false };

function layout(more) {
  return {
    height: 380,
    margin: { l: 8, r: 8, t: 30, b: 8 },
    legend: { orientation: "h", yanchor: "bottom", y: 1.01, xanchor: "left", x: 0, traceorder: "normal" },
    hovermode: "closest",
    hoverlabel: { bgcolor: "white", bordercolor: "#c4cad3", font: { color: "#1f2937", size: 12 }, align: "left" },
    uirevision: "keep",
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "inherit", size: 12 },
    ...more,
  };
}

/** Kept and removed filters of every layer. */
class LayerBars {
  constructor(element) {
    this.element = element;
  }

  values(i) {
    const { table } = this;
    if (table.bars) return [table.bars[i], table.bars_original];
    return [table.kept[i], table.totals];
  }

  async settle(Plotly, data, i, other) {
    const { table, colours } = data;
    this.table = table;
    const [kept, wholes] = this.values(i);
    const hover = table.layers.map((name, l) => {
      const compared = other === null ? "" : `<br>compared: ${table.kept[other][l]} (${table.kept[i][l] - table.kept[other][l]})`;
      return [name, table.kept[i][l], table.totals[l], table.macs_permille[i][l] / 10, compared];
    });
    const bar = (name, y, colour) => ({
      type: "bar",
      x: table.layers,
      y,
      name,
      marker: { color: colour, line: { width: 0 } },
      customdata: hover,
      hovertemplate:
        "<b>%{customdata[0]}</b><br>%{customdata[1]} of %{customdata[2]} filters" +
        "<br>%{customdata[3]} % of this network's MACs%{customdata[4]}<extra></extra>",
    });
    const top = Math.max(...wholes, 1e-9);
    const ink = getComputedStyle(this.element).getPropertyValue("--st-text-color");
    const ticks = {
      x: table.layers,
      y: other === null ? [] : this.values(other)[0],
      name: "compared with",
      mode: "markers",
      hoverinfo: "skip",
      marker: { symbol: "line-ew", size: Math.min(22, (0.7 * this.element.clientWidth) / table.layers.length), line: { width: 2, color: ink } },
    };
    await Plotly.react(
      this.element,
      [
        bar("kept", kept, data.colour),
        bar("removed", wholes.map((whole, l) => Math.max(whole - kept[l], 0)), colours.removed),
        ...(other === null ? [] : [ticks]),
      ],
      layout({
        barmode: "stack",
        bargap: 0.12,
        xaxis: {
          tickangle: -90,
          tickfont: { size: 10 },
          range: [-0.5, table.layers.length - 0.5],
          fixedrange: true,
          automargin: true,
        },
        yaxis: { title: { text: table.bars_title }, range: [0, 1.02 * top], fixedrange: true, automargin: true },
      }),
      PLAIN,
    );
    const [below, above] = this.element.querySelectorAll(".barlayer .trace");
    const paths = (trace) => [...trace.querySelectorAll(".point path")];
    this.paths = [paths(below), paths(above)];
    const { xaxis, yaxis } = this.element._fullLayout;
    this.sides = this.element.calcdata[0].map((mark) => [xaxis.c2p(mark.p0), xaxis.c2p(mark.p1)]);
    this.pixel = (value) => yaxis.l2p(value);
  }

  /** Move the bars; nothing else of the chart depends on the budget. */
  move(i) {
    if (!this.paths) return;
    const [kept, wholes] = this.values(i);
    const ground = this.pixel(0);
    this.sides.forEach(([left, right], l) => {
      const edge = this.pixel(kept[l]);
      this.paths[0][l].setAttribute("d", `M${left},${ground}V${edge}H${right}V${ground}Z`);
      this.paths[1][l].setAttribute("d", `M${left},${edge}V${this.pixel(wholes[l])}H${right}V${edge}Z`);
    });
  }
}

/** Accuracy against a cost: what was measured, and where the budget stands. */
class Frontier {
  constructor(element, onGo) {
    this.element = element;
    this.onGo = onGo;
  }

  x(i) {
    const { table, axis } = this.data;
    return axis === "latency" ? table.latency[i] : axis === "macs" ? table.macs[i] / 1e6 : table.params[i] / 1e3;
  }

  async settle(Plotly, data, i) {
    this.data = data;
    const { frontier, colour, colours, table } = data;
    const [left] = frontier.layout.xaxis.range;
    const [low] = frontier.layout.yaxis.range;
    const x = this.x(i) ?? left; // what is not known is drawn as well, and hidden: it may be known at the next budget
    const line = (y, style) => ({ x: [x, x], y, mode: "lines", line: style, showlegend: false, hoverinfo: "skip" });
    const mark = (name, more, marker) => ({
      x: [x],
      y: [100 * (table[name][i] ?? low / 100)],
      mode: "markers",
      marker: { ...marker, line: { width: 3 } },
      hovertemplate: `<b>This budget</b><br>${table[`${name}_measured`][i] ? "" : "about "}%{y:.1f} %, ${more}<extra></extra>`,
    });
    const tuned = colours.finetuned;
    const marks = [
      line(frontier.layout.yaxis.range, { color: colour, width: 1, dash: "dot" }),
      line([low, low], { color: tuned, width: 7 }),
      { ...mark("before", "not fine-tuned", { size: 17, symbol: "circle-open", color: colour }), name: "This budget" },
      { ...mark("after", "fine-tuned", { size: 14, symbol: "diamond-open", color: tuned }), showlegend: false },
    ];
    await Plotly.react(this.element, [...frontier.data, ...marks], layout(frontier.layout), PLAIN);
    const drawn = (trace) => this.element.querySelector(`.trace${this.element.calcdata[trace][0].trace.uid}`);
    const last = frontier.data.length;
    [this.line, this.band] = [last, last + 1].map((trace) => drawn(trace)?.querySelector("path.js-line"));
    if (this.band) this.band.style.opacity = 0.35;
    this.marks = ["before", "after"].map((name, m) => [name, drawn(last + 2 + m)?.querySelector("path.point")]);
    const { xaxis, yaxis } = this.element._fullLayout;
    this.pixels = [(value) => xaxis.l2p(value), (value) => yaxis.l2p(value), yaxis.range];
    this.move(i);
    if (!this.listening) {
      this.listening = true;
      this.element.on("plotly_click", ({ points: [point] }) => {
        const [, percent, ranking] = point.customdata ?? [];
        if (percent !== undefined) this.onGo(percent, ranking);
      });
    }
  }

  move(i) {
    if (!this.pixels) return;
    const [across, up, [low, high]] = this.pixels;
    const { table } = this.data;
    const x = this.x(i);
    const place = (element, known, attribute, value) => {
      if (!element) return;
      element.style.display = known ? "" : "none";
      if (known) element.setAttribute(attribute, value());
    };
    const upright = (from, to) => () => `M${across(x)},${up(from)}L${across(x)},${up(to)}`;
    const [before, after] = [table.before[i], table.after[i]];
    place(this.line, x !== null, "d", upright(low, high));
    place(this.band, x !== null && before !== null && after !== null, "d", upright(100 * before, 100 * after));
    for (const [name, element] of this.marks) {
      const value = table[name][i];
      place(element, x !== null && value !== null, "transform", () => `translate(${across(x)},${up(100 * value)})`);
    }
  }
}
