// The dial's styles, which lie beside its scripts.

const SHEETS = ["style.css", "bar.css", "top.css", "figures.css", "frontier.css"];

/** Load them all; until then nothing of the dial is shown. */
export async function loadStyles() {
  await Promise.all(SHEETS.map(load));
}

/** @param {string} name */
function load(name) {
  return new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", onload: resolve, onerror: reject });
    link.href = new URL(name, import.meta.url).href;
    document.head.append(link);
  });
}
