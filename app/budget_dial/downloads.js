// What the charts show, as a file: drawn on white, whatever the theme. It does not know the dial.

function save(name, href) {
  const link = Object.assign(document.createElement("a"), { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** A chart as a picture, "png" or "svg". */
async function savePicture(chart, name, format) {
  const { Plotly } = window;
  const layout = { ...chart.layout, paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff", font: { size: 12, color: "#1c2430" } };
  const size = { width: Math.max(chart.clientWidth, 700), height: 420, scale: format === "png" ? 2 : 1 };
  save(`${name}.${format}`, await Plotly.toImage({ data: chart.data, layout }, { format, ...size }));
}

/** A drawing of our own, such as { text: "<svg …", width, height }, as a picture: "png" or "svg". */
async function saveDrawing({ text, width, height }, name, format) {
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  if (format === "svg") return saveFor(`${name}.svg`, url);
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
  canvas.getContext("2d").drawImage(image, 0, 0, 2 * width, 2 * height);
  URL.revokeObjectURL(url);
  canvas.toBlob((picture) => saveFor(`${name}.png`, URL.createObjectURL(picture)), "image/png");
}

/** Save what an address of ours stands for, and give it up. */
function saveFor(name, url) {
  save(name, url);
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Rows as comma-separated values, the first their names. */
function saveTable(rows, name) {
  const cell = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value ?? "");
  const text = rows.map((row) => row.map(cell).join(",")).join("\n");
  saveFor(`${name}.csv`, URL.createObjectURL(new Blob([`${text}\n`], { type: "text/csv" })));
}

/** Filters of each layer at a place of the table. */
function layerRows(table, i) {
  const rows = table.layers.map((name, l) => [name, table.kept[i][l], table.totals[l], table.macs_permille[i][l] / 1000]);
  return [["layer", "kept", "total", "macs_share"], ...rows];
}

/** Every measured network of a frontier. */
function frontierRows(frontier) {
  const rows = frontier.rows.map(({ series, ranking, percent, x, top1_percent }) => [series, ranking, percent, x, top1_percent]);
  return [["series", "ranking", "macs_percent", frontier.layout.xaxis.title.text, "top1_percent"], ...rows];
}

/** Buttons that give a chart as a file: `give` is told the format. */
function fileButtons(element, give) {
  for (const format of ["png", "svg", "csv"]) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: format.toUpperCase() });
    button.onclick = () => give(format);
    element.append(button);
  }
}
