// What the dial is made of: its markup, switches and texts. It does not know figures.

const TEMPLATE = `
  <div class="bd-head">
    <fieldset class="bd-switch bd-by"><legend>Budget by</legend></fieldset>
    <label class="bd-entry"><span class="bd-at-most"></span>
      <input type="number" inputmode="decimal" step="any" aria-label="Budget"><span class="bd-unit"></span></label>
    <button class="bd-hold" type="button"></button>
    <span class="bd-message" role="status"></span>
  </div>
  <input class="bd-range" type="range" min="0" step="1" aria-label="Budget">
  <div class="bd-ends" aria-hidden="true"><span></span><span></span></div>
  <dl class="bd-figures" aria-label="Figures of this network"></dl>
  <p class="bd-note"></p>
  <div class="bd-charts">
    <figure class="bd-layers"><figcaption><span class="bd-title">Filters of each layer</span><span class="bd-switch bd-lens"
      role="radiogroup" aria-label="Show of each layer"></span></figcaption>
      <div class="bd-plot" role="img"></div>
      <div class="bd-map" hidden>
        <p>The filters of all layers on one line leave together. Layers from left to right, as they run; the thicker a line,
          the more filters.</p>
        <div class="bd-pane" tabindex="0" role="group" aria-label="Lanes: the arrow keys go from one to the next"></div>
        <div class="bd-tip" role="status" hidden></div>
        <details><summary>The same as a list</summary><ol></ol></details>
      </div>
      <p class="bd-files">Download: </p></figure>
    <figure class="bd-frontier"><figcaption>Accuracy against cost<span class="bd-switch bd-axis" role="radiogroup"
      aria-label="Cost"></span></figcaption>
      <div class="bd-plot" role="img"></div><p class="bd-nothing"></p><p class="bd-files">Download: </p></figure>
  </div>`;

/** Radio buttons of a switch, made anew only where their captions change. */
function fill(element, name, options, chosen, onChoose) {
  const signature = JSON.stringify(options);
  if (element.dataset.options !== signature) {
    element.dataset.options = signature;
    element.querySelectorAll("label").forEach((label) => label.remove());
    const group = `${name}-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    for (const [value, caption] of options) {
      const label = document.createElement("label");
      label.innerHTML = `<input type="radio"><span></span>`;
      Object.assign(label.firstChild, { name: group, value });
      label.lastChild.textContent = caption;
      element.append(label);
    }
  }
  for (const input of element.querySelectorAll("input")) {
    input.checked = input.value === chosen;
    input.onchange = () => onChoose(input.value);
  }
}

/** Set a text only where it changes. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
