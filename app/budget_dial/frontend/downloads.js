// Charts as files: pictures are drawn dark on white, whatever the theme.

/** @import { Cell, ChartStyle, FileFormat, PlotlyChart, PlotlyLibrary } from "./types" */
import { toCsv } from "./tables.js";
import { escapeTags, fileName } from "./text.js";

/** @type {FileFormat[]} */
export const PICTURES = ["png", "svg"];
const TITLE_HEIGHT = 26; // pixels, above a picture
const LONGEST_TITLE = 110;

/**
 * The line above a picture: whose it is, of which network, and when it was saved.
 * @param {string[]} parts
 * @param {Date} date
 */
export function pictureTitle(parts, date) {
  const line = parts.join(" · ");
  const short = line.length > LONGEST_TITLE ? `${line.slice(0, LONGEST_TITLE - 1)}…` : line;
  return `${short} · ${date.toISOString().slice(0, 10)}`;
}

/**
 * A drawing that is not Plotly's: SVG text and its size in pixels.
 * @typedef {{ text: string, width: number, height: number }} Drawing
 */

/**
 * A picture as a file.
 * @typedef {{ name: string, title: string, format: FileFormat }} PictureFile
 */

/**
 * Add the buttons that save a chart.
 * @param {HTMLElement} element
 * @param {(format: FileFormat) => void} onSave
 * @param {FileFormat[]} formats
 */
export function addFileButtons(element, onSave, formats = [...PICTURES, "csv"]) {
  for (const format of formats) {
    const text = format.toUpperCase();
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.onclick = () => onSave(format);
    element.append(button);
  }
}

/**
 * Save a chart as a picture. It is drawn as SVG whatever the format, so that nothing of it can lie under the title.
 * @param {PlotlyLibrary} Plotly
 * @param {PlotlyChart} chart
 * @param {ChartStyle} style
 * @param {PictureFile} file
 */
export async function saveChart(Plotly, chart, style, file) {
  const { ink, paper, layout } = style;
  const onPaper = { paper_bgcolor: paper, plot_bgcolor: paper, font: { size: layout.font.size, color: ink } };
  const figure = { data: chart.data, layout: { ...chart.layout, ...onPaper } };
  const size = { width: Math.max(chart.clientWidth, 700), height: 420 };
  const address = await Plotly.toImage(figure, { format: "svg", ...size });
  const text = decodeURIComponent(address.slice(address.indexOf(",") + 1));
  await saveDrawing({ text, ...size }, style, file);
}

/**
 * A drawing with a title above it.
 * @param {Drawing} drawing
 * @param {{ ink: string, paper: string }} style
 * @param {string} title
 * @returns {Drawing}
 */
export function titledDrawing({ text, width, height }, { ink, paper }, title) {
  const all = height + TITLE_HEIGHT;
  const words = `<text x="8" y="18" font-family="sans-serif" font-size="13" fill="${ink}">${escapeTags(title)}</text>`;
  const back = `<rect width="${width}" height="${all}" fill="${paper}"/>`;
  const below = `<g transform="translate(0 ${TITLE_HEIGHT})">${text}</g>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${all}">${back}${words}${below}</svg>`;
  return { text: svg, width, height: all };
}

/**
 * Save a drawing as a picture.
 * @param {Drawing} drawing
 * @param {{ ink: string, paper: string }} style
 * @param {PictureFile} file
 */
export async function saveDrawing(drawing, style, { name, title, format }) {
  const { text, width, height } = titledDrawing(drawing, style, title);
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
