// The map of layers whose filters leave together, on the page Structure: of one network, larger than beside the frontier.

/** @import { DialTable, LanesPageData } from "./types" */
import { find } from "./dom.js";
import { LaneMap } from "./lane_map.js";
import { LANES_MARKUP } from "./lane_markup.js";
import { loadStyles } from "./styles.js";

/** @type {WeakMap<Element, { map: LaneMap, draw: () => void, sizes: ResizeObserver, calls: number }>} */
const mounted = new WeakMap();

await loadStyles();

/**
 * Where Streamlit enters, also for new data.
 * @param {{ data: LanesPageData, parentElement: ParentNode, setTriggerValue: (name: "layer", layer: string) => void }} component
 * @returns {() => void} takes the map away
 */
export default function lanes({ data, parentElement, setTriggerValue }) {
  const root = find(parentElement, ".bd-lanes", HTMLElement);
  const mount = mounted.get(root) ?? mountMap(root);
  mounted.set(root, mount);
  const call = ++mount.calls;
  mount.map.onChoose = (layer) => setTriggerValue("layer", layer);
  const table = /** @type {DialTable} */ (
    /** @type {unknown} */ ({ layers: data.layers, totals: data.totals, kept: [data.kept] })
  );
  mount.draw = () =>
    mount.map.draw({ table, map: data.lanes, row: 0, comparedRow: null, layer: data.layer }, data.style);
  mount.draw();
  return () => {
    if (call !== mount.calls) return; // a later call has taken over
    mount.sizes.disconnect();
    mounted.delete(root);
  };
}

/** @param {HTMLElement} root */
function mountMap(root) {
  root.innerHTML = `<div class="bd-map">${LANES_MARKUP}</div>`;
  const map = new LaneMap(find(root, ".bd-map", HTMLElement), () => {});
  const mount = { map, draw: () => {}, sizes: new ResizeObserver(() => mount.draw()), calls: 0 };
  mount.sizes.observe(root);
  return mount;
}
