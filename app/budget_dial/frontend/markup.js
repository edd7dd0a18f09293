// The dial's markup: a bar with what is chosen rarely; headline and slider, which stay in sight; figures and charts.

import { LANES_MARKUP } from "./lane_markup.js";

export const MARKUP = `
  <div class="bd-bar">
    <h1 class="bd-name" tabindex="0" aria-describedby="bd-facts"><span></span><span class="bd-facts" id="bd-facts"
      role="tooltip"></span></h1>
    <label class="bd-ranking">Ranking <select></select></label>
    <span class="bd-switch bd-size" role="radiogroup" aria-label="Height of the images" title="Height of the images"
      hidden></span>
    <label class="bd-by">Steer by <select></select></label>
    <label class="bd-entry"><span class="bd-bound"></span>
      <input type="number" inputmode="decimal" step="any" aria-label="Budget"><span class="bd-unit"></span></label>
    <button class="bd-compare" type="button"></button>
  </div>
  <div class="bd-questions" role="group" aria-label="Questions"></div>
  <div class="bd-top">
    <p class="bd-headline"></p>
    <div class="bd-slide"><div class="bd-marks" aria-hidden="true"></div><input class="bd-range" type="range" min="0"
      max="10000" step="1" aria-label="Budget"><i class="bd-held" title="Compared with" hidden></i></div>
    <div class="bd-ends"><span aria-hidden="true"></span><output class="bd-answer"></output><span
      aria-hidden="true"></span></div>
  </div>
  <div class="bd-below">
    <dl class="bd-figures" aria-label="Figures of this network"></dl>
    <p class="bd-advice" hidden><span></span> <button type="button"></button></p>
    <div class="bd-charts">
      <figure class="bd-frontier"><figcaption><span>Accuracy against cost</span><select class="bd-device" hidden
        aria-label="Device whose latencies are shown"></select><span class="bd-switch bd-axis" role="radiogroup"
        aria-label="Cost"></span></figcaption>
        <div class="bd-frontier-tools"></div>
        <div class="bd-plot" role="img"></div><p class="bd-nothing"></p><p class="bd-files">Download: </p></figure>
      <figure class="bd-layers"><figcaption><span class="bd-title"></span><span class="bd-switch bd-lens"
        role="radiogroup" aria-label="What is shown of each layer"></span></figcaption>
        <div class="bd-plot" role="img"></div>
        <div class="bd-map" hidden>
          ${LANES_MARKUP}
        </div>
        <p class="bd-files">Download: </p></figure>
      <section class="bd-card" aria-label="A layer and its filters" tabindex="-1" hidden></section>
      <section class="bd-list" aria-label="Networks" hidden></section>
    </div>
    <p class="bd-note"></p>
  </div>`;
