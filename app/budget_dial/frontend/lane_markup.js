// The markup of the map of layers whose filters leave together.

export const LANES_MARKUP = `
  <p>The filters of all layers on one line leave together. Layers from left to right, in order of execution; the
    thicker a line, the more filters.</p>
  <div class="bd-pane" tabindex="0" role="group" aria-label="Lanes: the arrow keys go from one to the next"></div>
  <div class="bd-tip" role="status" hidden></div>
  <details><summary>The same as a list</summary><ol tabindex="0"></ol></details>`;
