// The dial: one slider, the figures and charts that follow it. Data, as `app/dial.py` and the page give it:
//   name      of the study, for files;  ranking: its name
//   id        of the table: with another one the dial begins anew at table.start
//   table     one row a budget, see `dial_table`; table.lanes: the map of what goes together is shown, not the bars
//   plotly    where it is loaded from
//   original  facts of it, as `facts` in words.js gives them
//   held      per cent of the MACs of the network that all are compared with, or null: the original
//   by        way in which the budget is said: macs, params, size, latency, fps
//   colour    of the ranking;  colours: of what is removed
//   lenses, lens, axes, axis     the switches of the charts: [[value, caption], ...] and what is chosen; absent: no charts
//   frontier  Plotly's data and layout, and the rows behind them, or null where nothing was measured;  nothing: what is said then
//   note      where the figures come from

const SETTLED_MS = 160; // after the last key

class Dial {
  constructor(root) {
    this.root = root;
    this.chosen = {}; // what Python has not answered yet
    root.innerHTML = TEMPLATE;
    const find = (selector) => root.querySelector(selector);
    this.parts = {
      range: find(".bd-range"), entry: find(".bd-entry input"), unit: find(".bd-unit"), atMost: find(".bd-at-most"),
      message: find(".bd-message"), hold: find(".bd-hold"), ends: root.querySelectorAll(".bd-ends span"), figures: find(".bd-figures"),
      note: find(".bd-note"), charts: find(".bd-charts"), nothing: find(".bd-nothing"),
      by: find(".bd-by"), lens: find(".bd-lens"), axis: find(".bd-axis"),
      frontierFiles: find(".bd-frontier .bd-files"), layers: find(".bd-layers .bd-plot"), frontier: find(".bd-frontier .bd-plot"),
      title: find(".bd-title"), map: find(".bd-map"),
    };
    this.bars = new LayerBars(this.parts.layers);
    this.lanes = new LaneMap(this.parts.map);
    this.frontier = new Frontier(this.parts.frontier, (percent, ranking) => this.go(percent, ranking));
    for (const chart of ["layers", "frontier"]) fileButtons(find(`.bd-${chart} .bd-files`), (format) => this.save(chart, format));
    this.listen();
  }

  /** Give a chart as a file. */
  save(chart, format) {
    const map = chart === "layers" && this.table.lanes;
    const name = `${this.data.name}-${map ? "lanes" : chart}-${this.table.percent[this.i]}`;
    const rows = { layers: () => (map ? laneRows : layerRows)(this.table, this.i), frontier: () => frontierRows(this.data.frontier) };
    if (format === "csv") return saveTable(rows[chart](), name);
    return map ? saveDrawing(this.lanes.picture(), name, format) : savePicture(this.parts[chart], name, format);
  }

  listen() {
    const { range, entry, hold } = this.parts;
    hold.onclick = () => this.hold(this.held === null ? this.table.percent[this.i] : null);
    range.oninput = () => this.turn(Number(range.value));
    range.onpointerdown = () => (this.pressed = true);
    range.onchange = () => {
      this.letGo(this.pressed ? 0 : SETTLED_MS);
      this.pressed = false;
    };
    range.onkeydown = (event) => {
      const page = { PageUp: 1, PageDown: -1 }[event.key];
      if (!page) return;
      event.preventDefault(); // a twentieth of the way, whatever the browser thinks
      this.turn(this.i + page * Math.max(1, Math.round(this.last / 20)));
      this.letGo(SETTLED_MS);
    };
    entry.oninput = () => (this.typing = true);
    entry.onblur = () => (this.typing = false);
    entry.onchange = () => {
      this.typing = false;
      this.ask(entry.valueAsNumber);
    };
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.root);
  }

  /** Take what Python says. While the dial is held, it stays where the hand has it. */
  show(data, tell) {
    const here = data.id === this.data?.id ? this.table.percent[this.i] : undefined;
    const way = this.way ?? data.by;
    Object.assign(this, { data, tell, table: data.table, last: data.table.macs.length - 1 });
    for (const name of Object.keys(this.chosen)) if (this.chosen[name] === data[name]) delete this.chosen[name];
    this.way = reach(this.table, way) ? way : "macs";
    this.parts.range.max = this.last;
    this.i = here === undefined ? this.table.start : this.placeOf(here);
    if (here === undefined) this.told = this.table.percent[this.i];
    this.parts.note.textContent = data.note;
    if (!("held" in this.chosen)) this.held = data.held;
    this.switches();
    this.draw();
    this.settle();
  }

  /** Compare with the network of a budget from now on; null: with the original. */
  hold(percent) {
    this.held = percent;
    this.choose({ held: percent });
    this.draw();
    this.settle();
  }

  /** Place of what is compared with; null: the original. */
  get other() {
    return this.held === null ? null : this.placeOf(this.held);
  }

  switches() {
    const { data, parts, table } = this;
    const ways = Object.entries(WAYS).filter(([way]) => reach(table, way)).map(([way, { caption }]) => [way, caption]);
    fill(parts.by, "by", ways, this.way, (way) => {
      this.way = way;
      this.choose({ by: way });
      this.draw();
    });
    parts.charts.hidden = !data.lenses;
    if (!data.lenses) return;
    fill(parts.lens, "lens", data.lenses, data.lens, (lens) => this.choose({ lens }));
    fill(parts.axis, "axis", data.axes, data.axis, (axis) => this.choose({ axis }));
    parts.nothing.textContent = data.frontier ? "" : data.nothing;
    parts.frontier.hidden = parts.frontierFiles.hidden = !data.frontier;
    this.arrange();
  }

  /** Bars beside the frontier, or the map of what goes together above it. */
  arrange() {
    const { parts } = this;
    const map = Boolean(this.table.lanes);
    if (parts.layers.hidden === map) return;
    parts.layers.hidden = map;
    parts.map.hidden = !map;
    parts.charts.classList.toggle("bd-wide", map);
    write(parts.title, map ? "Which layers go together" : "Filters of each layer");
    if (parts.layers._fullLayout) window.Plotly.purge(parts.layers); // it would not fit when it comes back
    this.width = 0;
    this.fit();
  }

  /** What shows the layers. */
  get layers() {
    return this.table.lanes ? this.lanes : this.bars;
  }

  /** Stand at a place of the table; the page follows at the next frame. */
  turn(i) {
    this.i = Math.max(0, Math.min(i, this.last));
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
      if (this.data.lenses) {
        this.layers.move(this.i);
        if (this.data.frontier) this.frontier.move(this.i);
      }
    });
  }

  /** Tell Python, once the hand or the keys rest. */
  letGo(after) {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.say();
      this.settle();
    }, after);
  }

  /** Say where the dial stands, if it has moved since. */
  say() {
    clearTimeout(this.resting);
    this.resting = null;
    const percent = this.table.percent[this.i];
    if (percent !== this.told) this.choose();
  }

  /** Tell Python. Of words that follow closely it hears the last alone, so each holds all that is not answered yet. */
  choose(choice = {}, more = {}) {
    Object.assign(this.chosen, choice);
    this.told = this.table.percent[this.i];
    this.tell("view", { budget: this.told, ...this.chosen, ...more });
  }

  /** Find the largest network within a limit that was typed. */
  ask(limit) {
    const { parts } = this;
    const { unit, larger, show } = WAYS[this.way];
    const [smallest] = reach(this.table, this.way);
    const found = Number.isFinite(limit) ? place(this.table, this.way, limit) : null;
    if (found === null) {
      const measured = WAYS[this.way].at(this.table, 0) === null ? "measured " : "";
      const least = `${larger ? "needs" : "reaches"} ${show(smallest)} ${unit}`;
      parts.message.textContent = Number.isFinite(limit)
        ? `Out of reach: this ranking's smallest ${measured}network ${least}. ${this.data.remedy}`
        : "";
      this.draw();
      return;
    }
    parts.message.textContent = "";
    const said = Math.round(1e4 * limit) / 1e4;
    if (this.way === "macs" && said >= this.table.macs_percent[found]) this.table.percent[found] = Math.min(said, 100); // as it was said
    this.turn(found);
    this.letGo(0);
  }

  /** Go to a measured network; that of another ranking is Python's to open. */
  go(percent, ranking) {
    if (ranking !== "original" && ranking !== this.data.ranking) {
      this.choose({}, { go: { percent, ranking } });
      return;
    }
    this.turn(this.placeOf(percent));
    this.letGo(0);
  }

  /** Of the largest network within a budget. */
  placeOf(percent) {
    return Math.max(0, this.table.macs_percent.findLastIndex((cost) => cost <= percent + 1e-9));
  }

  /** Everything but the charts. */
  draw() {
    const { parts, table, i } = this;
    const way = WAYS[this.way];
    const value = way.at(table, i);
    parts.range.value = i;
    parts.atMost.textContent = way.larger ? "at most" : "at least";
    parts.unit.textContent = way.unit;
    if (!this.typing) parts.entry.value = value === null ? "" : way.show(value);
    const rows = figures(table, i, this.other === null ? this.data.original : facts(table, this.other));
    write(parts.hold, this.held === null ? "Hold this budget to compare" : `Compared with ${this.held.toFixed(2)} % — let go`);
    const said = rows.filter(([, shown]) => shown !== DASH).map(([caption, shown]) => `${caption} ${shown}`);
    parts.range.setAttribute("aria-valuetext", `${table.percent[i]} % of the MACs: ${said.join(", ")}`);
    if (parts.figures.childElementCount !== rows.length) {
      parts.figures.innerHTML = rows.map(() => "<div><dt></dt><dd></dd><dd><span></span> <small></small></dd></div>").join("");
    }
    rows.forEach(([caption, shown, difference, lessIsBetter, aside], n) => {
      const [term, figure, below] = parts.figures.children[n].children;
      const [against, more] = below.children;
      write(term, caption);
      write(figure, shown);
      write(against, difference);
      write(more, aside);
      const better = !difference ? "" : difference.startsWith("−") === lessIsBetter ? "good" : "bad";
      if (against.dataset.kind !== better) against.dataset.kind = better;
    });
    const ends = reach(table, this.way);
    write(parts.ends[0], `smallest: ${way.show(ends[0])} ${way.unit}`);
    const whole = table.macs[this.last] === this.data.original.macs;
    write(parts.ends[1], `${whole ? "original" : "largest"}: ${way.show(ends[1])} ${way.unit}`);
  }

  /** Let Plotly draw what the marks already show. */
  async settle() {
    const { data, parts } = this;
    if (!data.lenses) return;
    if (this.table.lanes) this.lanes.settle(data, this.i, this.other);
    try {
      const Plotly = await loadPlotly(data.plotly);
      if (data !== this.data) return; // newer data has its own turn
      this.width ??= this.root.clientWidth; // the first drawing fits as it is
      if (!this.table.lanes) await this.bars.settle(Plotly, data, this.i, this.other);
      if (data !== this.data) return;
      if (data.frontier) await this.frontier.settle(Plotly, data, this.i);
      if (data !== this.data) return;
    } catch (error) {
      parts.message.textContent = `${error.message}.`;
      return;
    }
    this.layers.move(this.i); // the hand may have gone on meanwhile
    if (data.frontier) this.frontier.move(this.i);
    const kept = this.table.kept[this.i].reduce((sum, n) => sum + n, 0);
    const total = this.table.totals.reduce((sum, n) => sum + n, 0);
    parts.layers.ariaLabel = `Stacked bars: ${kept} of ${total} filters are kept in ${this.table.totals.length} layers.`;
    parts.frontier.ariaLabel = "Accuracy of the measured networks against their cost, one line for each ranking.";
  }

  fit() {
    const width = this.root.clientWidth;
    if (!width || width === this.width || !window.Plotly) return;
    this.width = width;
    const charts = [this.parts.layers, this.parts.frontier].filter((chart) => chart._fullLayout && !chart.hidden);
    Promise.all(charts.map((chart) => window.Plotly.Plots.resize(chart))).then(() => this.settle());
  }

  close() {
    cancelAnimationFrame(this.frame);
    if (this.resting) this.say();
    this.sizes.disconnect();
    for (const chart of [this.parts.layers, this.parts.frontier]) {
      if (chart._fullLayout) window.Plotly.purge(chart);
    }
  }
}

export default function budgetDial({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".budget-dial");
  const dial = (root.dial ??= new Dial(root));
  const mount = (dial.mount = Symbol());
  dial.show(data, setTriggerValue); // triggers, not state: Python alone remembers
  return () => {
    if (dial.mount !== mount) return; // a later call has taken over
    dial.close();
    delete root.dial;
  };
}
