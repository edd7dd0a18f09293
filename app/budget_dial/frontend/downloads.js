// Charts as files: pictures are drawn dark on white, whatever the theme.

/** @import { Cell, ChartStyle, FileFormat, PlotlyChart, PlotlyLibrary } from "./types" */
import { toCsv } from "./tables.js";
import { fileName } from "./text.js";

/**
 * A drawing that is not Plotly's: SVG text and its size in pixels.
 * @typedef {{ text: string, width: number, height: number }} Drawing
 */

/**
 * Add the buttons that save a chart.
 * @param {HTMLElement} element
 * @param {(format: FileFormat) => void} onSave
 */
export function addFileButtons(element, onSave) {
  for (const format of /** @type {FileFormat[]} */ (["png", "svg", "csv"])) {
    const text = format.toUpperCase();
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.onclick = () => onSave(format);
    element.append(button);
  }
}

/**
 * Save a chart as a picture.
 * @param {PlotlyLibrary} Plotly
 * @param {PlotlyChart} chart
 * @param {ChartStyle} style
 * @param {string} name
 * @param {FileFormat} format
 */
export async function saveChart(Plotly, chart, { ink, paper, layout: { font } }, name, format) {
  const onPaper = { paper_bgcolor: paper, plot_bgcolor: paper, font: { size: font.size, color: ink } };
  const size = { width: Math.max(chart.clientWidth, 700), height: 420, scale: format === "png" ? 2 : 1 };
  const figure = { data: chart.data, layout: { ...chart.layout, ...onPaper } };
  save(`${name}.${format}`, await Plotly.toImage(figure, { format, ...size }));
}

/**
 * Save a drawing as a picture.
 * @param {Drawing} drawing
 * @param {string} name
 * @param {FileFormat} format
 */
export async function saveDrawing({ text, width, height }, name, format) {
  const svg = new Blob([text], { type: "image/svg+xml" });
  if (format === "svg") return saveBlob(`${name}.svg`, svg);
  const image = new Image();
  image.src = URL.createObjectURL(svg);
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
  canvas.getContext("2d")?.drawImage(image, 0, 0, 2 * width, 2 * height);
  URL.revokeObjectURL(image.src);
  canvas.toBlob((picture) => picture && saveBlob(`${name}.png`, picture), "image/png");
}

/**
 * Save rows as comma-separated values; the first row holds the names of the columns.
 * @param {Cell[][]} rows
 * @param {string} name
 */
export function saveTable(rows, name) {
  saveBlob(`${name}.csv`, new Blob([toCsv(rows)], { type: "text/csv" }));
}

/**
 * @param {string} name
 * @param {Blob} blob
 */
function saveBlob(name, blob) {
  const address = URL.createObjectURL(blob);
  save(name, address);
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/**
 * Let the browser save what an address holds.
 * @param {string} name
 * @param {string} href
 */
function save(name, href) {
  const link = Object.assign(document.createElement("a"), { href, download: fileName(name) });
  document.body.append(link);
  link.click();
  link.remove();
}
