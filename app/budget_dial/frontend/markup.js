// The dial's markup.

export const MARKUP = `
  <div class="bd-head">
    <fieldset class="bd-switch bd-by"><legend>Budget by</legend></fieldset>
    <label class="bd-entry"><span class="bd-at-most"></span>
      <input type="number" inputmode="decimal" step="any" aria-label="Budget"><span class="bd-unit"></span></label>
    <button class="bd-compare" type="button"></button>
    <span class="bd-message" role="status"></span>
  </div>
  <div class="bd-slide"><input class="bd-range" type="range" min="0" step="1" aria-label="Budget"><i class="bd-held"
    title="Compared with" hidden></i></div>
  <div class="bd-ends" aria-hidden="true"><span></span><span></span></div>
  <dl class="bd-figures" aria-label="Figures of this network"></dl>
  <p class="bd-note"></p>
  <div class="bd-charts">
    <figure class="bd-layers"><figcaption><span class="bd-title">Filters of each layer</span><span class="bd-switch bd-lens"
      role="radiogroup" aria-label="What is shown of each layer"></span></figcaption>
      <div class="bd-plot" role="img"></div>
      <div class="bd-map" hidden>
        <p>The filters of all layers on one line leave together. Layers from left to right, in order of execution; the
          thicker a line, the more filters.</p>
        <div class="bd-pane" tabindex="0" role="group" aria-label="Lanes: the arrow keys go from one to the next"></div>
        <div class="bd-tip" role="status" hidden></div>
        <details><summary>The same as a list</summary><ol></ol></details>
      </div>
      <p class="bd-files">Download: </p></figure>
    <figure class="bd-frontier"><figcaption>Accuracy against cost<select class="bd-device" hidden
      aria-label="Device whose latencies are shown"></select><span class="bd-switch bd-axis" role="radiogroup"
      aria-label="Cost"></span></figcaption>
      <div class="bd-frontier-tools"></div>
      <div class="bd-plot" role="img"></div><p class="bd-nothing"></p><p class="bd-files">Download: </p></figure>
    <section class="bd-list" aria-label="Networks" hidden></section>
  </div>`;
