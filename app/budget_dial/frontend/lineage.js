// Where the networks of a study came from: boxes in columns, joined by lines. A click tells Python which was chosen.

/** @import { LineageData, LineageOrigin } from "./types" */
import { find, setText } from "./dom.js";
import { way } from "./lineage_lines.js";
import { loadStyles } from "./styles.js";
import { add } from "./svg.js";

const ROW = 46; // pixels
const MARKUP = `
  <p class="bd-lineage-key">Accuracy <span></span> <i aria-hidden="true"></i> <span></span></p>
  <div class="bd-lineage-scroll"><div class="bd-lineage-columns" aria-hidden="true"></div>
    <div class="bd-lineage-map"><svg aria-hidden="true" preserveAspectRatio="none"></svg></div></div>`;

await loadStyles();

/**
 * Where Streamlit enters, also for new data.
 * @param {{ data: LineageData, parentElement: ParentNode, setTriggerValue: (name: "chosen", key: string) => void }} component
 */
export default function lineage({ data, parentElement, setTriggerValue }) {
  const root = find(parentElement, ".bd-lineage", HTMLElement);
  if (!root.firstChild) root.innerHTML = MARKUP;
  const key = find(root, ".bd-lineage-key", HTMLElement);
  key.hidden = data.lowest === null || data.lowest === data.highest;
  const [low, high] = key.querySelectorAll("span");
  setText(low, `${data.lowest?.toFixed(1)} %`);
  setText(high, `${data.highest?.toFixed(1)} %`);
  const titles = data.columns.map((title) => Object.assign(document.createElement("span"), { textContent: title }));
  find(root, ".bd-lineage-columns", HTMLElement).replaceChildren(...titles);
  const map = find(root, ".bd-lineage-map", HTMLElement);
  map.style.height = `${ROW * data.rows}px`;
  const focused = /** @type {HTMLElement | null} */ (map.querySelector("button:focus"))?.dataset.key;
  map.querySelectorAll("button").forEach((button) => button.remove());
  for (const origin of data.origins) {
    const button = box(origin, data.columns[origin.column], () => setTriggerValue("chosen", origin.key));
    map.append(button);
    if (origin.key === focused) button.focus();
  }
  draw(find(map, "svg", SVGSVGElement), data);
}

/**
 * A box of the map, as a button.
 * @param {LineageOrigin} origin
 * @param {string} column its title
 * @param {() => void} onChoose
 */
function box(origin, column, onChoose) {
  const button = Object.assign(document.createElement("button"), { type: "button", onclick: onChoose });
  const title = Object.assign(document.createElement("b"), { textContent: origin.title });
  const top1 = Object.assign(document.createElement("span"), {
    textContent: origin.top1 === null ? "" : `${origin.top1.toFixed(1)} %`,
  });
  const told = Object.assign(document.createElement("small"), { textContent: origin.told });
  button.append(title, top1, told);
  button.title = [origin.title, origin.told].filter(Boolean).join(": ");
  button.ariaLabel = [column, origin.title, top1.textContent, origin.told].filter(Boolean).join(", ");
  button.dataset.key = origin.key;
  button.dataset.column = String(origin.column);
  button.className = origin.today ? "" : "bd-lineage-before";
  button.setAttribute("aria-pressed", String(origin.chosen));
  button.style.top = `${ROW * origin.row + 3}px`;
  if (origin.shade !== null) button.style.setProperty("--shade", `${Math.round(100 * origin.shade)}%`);
  button.classList.toggle("bd-lineage-known", origin.shade !== null);
  return button;
}

/**
 * Draw the lines between boxes, in a drawing as wide as 100 and a row as high as 1.
 * @param {SVGSVGElement} drawing
 * @param {LineageData} data
 */
function draw(drawing, data) {
  drawing.setAttribute("viewBox", `0 0 100 ${Math.max(1, data.rows)}`);
  drawing.replaceChildren();
  for (const origin of data.origins) {
    const before = origin.parent === null ? null : data.origins[origin.parent];
    if (before) add(drawing, "path", { d: way(before, origin), "vector-effect": "non-scaling-stroke" });
  }
}
