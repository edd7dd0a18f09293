// The dial's styles, which lie beside its script.

/** Load them; until then nothing of the dial is shown. */
export function loadStyles() {
  return new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", onload: resolve, onerror: reject });
    link.href = new URL("dial.css", import.meta.url).href;
    document.head.append(link);
  });
}
